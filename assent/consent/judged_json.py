"""The record of a yes as JSON: what `judged_grant` gives, written at once, since making the models costs more than the decision.

A property test holds that both give the same bytes.
"""

from __future__ import annotations

from collections.abc import Set

from assent.consent.content_rights import NOTHING
from assent.consent.decision import Stand
from assent.consent.ledger import Standing
from assent.events.grants import GrantSnapshot, LegalBasis
from assent.events.json_text import flag, listed, moments, quoted
from assent.ids import UNKNOWN, Jurisdiction

_LIVE = Standing.LIVE


def json_of_yes(found: Stand, places: Set[Jurisdiction], marked: int) -> str | None:
    """The JSON of the JudgedGrant; None for what is seldom a yes: joint grants, no image, control not shown."""
    grant, rule = found.grant, found.rule
    if grant is None or rule is None or found.standing is not _LIVE or found.members or not found.is_shown or found.aside != NOTHING:
        return None
    not_before, expires_at, confirmed_at, last_interaction_at = moments(
        grant.not_before, grant.expires_at, grant.confirmed_at, grant.last_interaction_at
    )
    return (
        f'{{"standing":"live","revision":{grant.revision},"state":{quoted(grant.state)},"not_before":{not_before},'
        f'"expires_at":{expires_at},"confirmed_at":{confirmed_at},"withdrawn_at":null,"is_readable":true,"is_fixture":false,'
        f'"binding":{quoted(grant.binding.mode)},"source":{{"kind":{quoted(rule.kind)},"only_me":{flag(rule.only_me)}}},'
        f'"terms":{_terms(grant, places or {UNKNOWN}, last_interaction_at, marked)},"members":[]}}'
    )


def _terms(grant: GrantSnapshot, places: Set[Jurisdiction], last_interaction_at: str, marked: int) -> str:
    forms = [_form(basis) for basis in grant.legal if basis.jurisdiction in places]
    collect_in = [place for place in grant.scope.collect_in if place in places]
    store_in = [place for place in grant.scope.store_in if place in places]
    return (
        f'{{"age_band":{quoted(grant.age_band)},"guardian":{flag(grant.guardian)},"operations":{listed(grant.operations)},'
        f'"purposes":{listed(grant.purposes)},"forms":[{",".join(forms)}],"collect_in":{listed(collect_in)},'
        f'"store_in":{listed(store_in)},"last_interaction_at":{last_interaction_at},"marked":{marked}}}'
    )


def _form(basis: LegalBasis) -> str:
    signature = "null" if basis.signature is None else quoted(basis.signature)
    return (
        f'{{"jurisdiction":{quoted(basis.jurisdiction)},"form":{quoted(basis.form)},"explicit":{flag(basis.explicit)},'
        f'"signature":{signature},"alternative_offered":{flag(basis.alternative_offered)},"notice_fields":{listed(basis.notice_fields)},'
        f'"evidence_count":{basis.evidence_count},"has_notice":{flag(basis.notice_sha256 is not None)}}}'
    )
