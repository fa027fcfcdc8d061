"""Which rule of law a refusal stands on, by the id of docs/rules.md, and what that rule is called; no legal advice.

Rules of the house stand on none, and say so.
"""

from __future__ import annotations

from dataclasses import dataclass

from assent.ids import RuleId


@dataclass(frozen=True, slots=True)
class LawText:
    """A rule by its id, and the instrument it was made from."""

    id: str
    text: str


_REPORT = (
    "PIPEDA; joint report 2021-001 of the privacy commissioners of Canada, Quebec, British Columbia and Alberta",
    "LPRPDE ; enquête conjointe 2021-001 des autorités de protection de la vie privée du Canada, du Québec, de la Colombie-Britannique et "
    "de l'Alberta",
)
_PIPA_BC = (
    "Personal Information Protection Act of British Columbia; Order P21-08 of its commissioner",
    "Personal Information Protection Act de la Colombie-Britannique ; ordonnance P21-08 de son commissaire",
)
_PRIVATE_SECTOR = (
    "Quebec's Act respecting the protection of personal information in the private sector",
    "Loi sur la protection des renseignements personnels dans le secteur privé (Québec)",
)
_FRAMEWORK = (
    "Quebec's Act to establish a legal framework for information technology",
    "Loi concernant le cadre juridique des technologies de l'information (Québec)",
)
_BIPA = ("Illinois Biometric Information Privacy Act, 740 ILCS", "Biometric Information Privacy Act de l'Illinois, 740 ILCS")
_AI_ACT = ("EU AI Act, Art. 5(1)(e)", "Règlement européen sur l'intelligence artificielle, art. 5, par. 1, point e)")
_HOUSE = (
    "a rule of this service, stricter than any one law",
    "une règle de ce service, plus stricte qu'aucune loi en particulier",
)
_ROBOTS = ("RFC 9309, the rules of a site for robots", "RFC 9309, les règles d'un site pour les robots")
_SIGNALS = (
    "what publishers say in a form that machines read (W3C TDMRep, IETF, PLUS, C2PA, RSL)",
    "ce que les éditeurs disent sous une forme lisible par des machines (W3C TDMRep, IETF, PLUS, C2PA, RSL)",
)
_LAWS: dict[str, tuple[str, str]] = {
    "CA-1": _REPORT,
    "CA-2": (f"{_REPORT[0]}: express consent", f"{_REPORT[1]} : consentement exprès"),
    "CA-3": (f"{_REPORT[0]}: public is not free to use", f"{_REPORT[1]} : accessible ne veut pas dire permis"),
    "CA-4": ("PIPEDA, subsection 5(3): appropriate purposes only", "LPRPDE, paragraphe 5(3) : fins acceptables seulement"),
    "CA-6": (f"{_REPORT[0]}: children", f"{_REPORT[1]} : enfants"),
    "OPC-1": (
        "guidance on biometrics of the Privacy Commissioner of Canada, August 2025",
        "orientations sur la biométrie du Commissariat à la protection de la vie privée du Canada, août 2025",
    ),
    "BC-1": (f"{_PIPA_BC[0]}: the offer of the service", f"{_PIPA_BC[1]} : l'offre du service"),
    "BC-2": (f"{_PIPA_BC[0]}: collection and use", f"{_PIPA_BC[1]} : la collecte et l'utilisation"),
    "AB-1": (
        "Personal Information Protection Act of Alberta; Order P2021-12 of its commissioner",
        "Personal Information Protection Act de l'Alberta ; ordonnance P2021-12 de sa commissaire",
    ),
    "QC-1": (
        "decision 1023158-S of the Commission d'accès à l'information of Quebec",
        "décision 1023158-S de la Commission d'accès à l'information du Québec",
    ),
    "QC-2": (f"{_FRAMEWORK[0]}, section 44: declaration of the process", f"{_FRAMEWORK[1]}, art. 44 : divulgation du procédé"),
    "QC-3": (f"{_FRAMEWORK[0]}, section 45: the database, 60 days ahead", f"{_FRAMEWORK[1]}, art. 45 : la banque, 60 jours d'avance"),
    "QC-5": (f"{_FRAMEWORK[0]}, section 44: destruction", f"{_FRAMEWORK[1]}, art. 44 : destruction"),
    "QC-7": (f"{_PRIVATE_SECTOR[0]}: valid consent", f"{_PRIVATE_SECTOR[1]} : consentement valide"),
    "QC-8": (
        f"{_PRIVATE_SECTOR[0]}: privacy impact assessment",
        f"{_PRIVATE_SECTOR[1]} : évaluation des facteurs relatifs à la vie privée",
    ),
    "IL-1": (f"{_BIPA[0]} 14/15(a): how long", f"{_BIPA[1]} 14/15(a) : la durée"),
    "IL-2": (f"{_BIPA[0]} 14/15(b): notice and written release", f"{_BIPA[1]} 14/15(b) : avis et autorisation écrite"),
    "IL-3": (f"{_BIPA[0]} 14/10: signature", f"{_BIPA[1]} 14/10 : signature"),
    "IL-5": (f"{_BIPA[0]} 14/15(d): disclosure", f"{_BIPA[1]} 14/15(d) : communication à des tiers"),
    "TX-1": ("Texas Business and Commerce Code, § 503.001", "Business and Commerce Code du Texas, § 503.001"),
    "EU-1": ("GDPR, Art. 7(1): consent must be shown", "RGPD, art. 7, par. 1 : le consentement se démontre"),
    "EU-2": ("GDPR, Art. 7(3): withdrawal at any time", "RGPD, art. 7, par. 3 : retrait à tout moment"),
    "EU-3": ("GDPR, Art. 4(11): specific consent", "RGPD, art. 4, point 11 : consentement spécifique"),
    "EU-8": ("GDPR, Arts. 13 and 14: notice", "RGPD, art. 13 et 14 : information de la personne"),
    "EU-10": ("GDPR, Arts. 25, 27 and 35", "RGPD, art. 25, 27 et 35"),
    "UK-1": (
        "UK GDPR; enforcement notice of the Information Commissioner, May 2022",
        "RGPD britannique ; mise en demeure de l'Information Commissioner, mai 2022",
    ),
    "AU-1": (
        "Australian Privacy Act 1988; determination of the Information Commissioner, October 2021",
        "Privacy Act 1988 d'Australie ; décision du commissaire à l'information, octobre 2021",
    ),
    "AIA-1": (f"{_AI_ACT[0]}: no untargeted scraping", f"{_AI_ACT[1]} : pas de collecte non ciblée"),
    "AIA-2": (f"{_AI_ACT[0]}: a real target", f"{_AI_ACT[1]} : une vraie cible"),
    "X-1": (f"{_HOUSE[0]}: what nobody knows is closed", f"{_HOUSE[1]} : l'inconnu est fermé"),
    "X-3": (f"{_HOUSE[0]}: everybody in the picture", f"{_HOUSE[1]} : chaque personne sur l'image"),
    "X-8": (f"{_HOUSE[0]}: what must not come back", f"{_HOUSE[1]} : ce qui ne doit pas revenir"),
    "X-9": (f"{_HOUSE[0]}: forbidden purposes", f"{_HOUSE[1]} : fins interdites"),
    "robots_disallow": _ROBOTS,
    "optout_signal": _SIGNALS,
}
_STANDS_ON: dict[str, tuple[str, ...]] = {
    "no_grant": ("CA-1", "AIA-1"),
    "source_not_covered": ("CA-1", "AIA-1"),
    "place_told_later": ("CA-1", "AIA-1"),
    "retention_over": ("IL-1",),
    "control_unproven": ("AIA-2",),
    "grant_not_live": ("CA-2", "EU-1"),
    "grant_expired": ("QC-7",),
    "grant_withdrawn": ("EU-2",),
    "grant_unreadable": ("X-1",),
    "fixture_evidence": ("EU-1",),
    "operation_not_granted": ("CA-2",),
    "purpose_not_allowed": ("EU-3",),
    "recipient_not_listed": ("IL-5",),
    "scope_not_granted": ("CA-2",),
    "legal_form_missing": ("CA-2",),
    "not_supported": ("X-3",),
    "bystander_possible": ("X-3",),
    "bystander_present": ("X-3",),
    "several_faces": ("X-3",),
    "faces_overlap": ("X-3",),
    "region_not_found": ("X-3",),
    "not_the_subject": ("X-3",),
    "reference_missing": ("X-3",),
    "suppressed": ("X-8",),
}
TECHNICAL = frozenset({"no_face", "low_quality", "image_unreadable", "image_too_large", "quarantine_expired", "fetch_failed"})
"""What stands on no rule of law: there is nothing there that could be used."""
LAWS = frozenset(_LAWS)


def laws_of(rule: RuleId, lang: str = "en") -> tuple[LawText, ...]:
    """What the rule stands on; nothing for what is technical, and for a rule of a newer release."""
    place = 1 if lang == "fr" else 0
    ids = _STANDS_ON.get(rule, (str(rule),) if rule in _LAWS else ())
    return tuple(LawText(one, _LAWS[one][place]) for one in ids)
