"""Why a command on a grant is not carried out, as answers with their reason codes; none of them tells whether a stranger's grant exists."""

from __future__ import annotations

from collections.abc import Sequence

from assent.identity.errors import ApiError
from services.registry.grant_rules import Refusal


class GrantRefusedError(ApiError):
    """Raised when a request breaks a rule; `details.refusals` names each."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        first = refusals[0]
        listed = [{"rule": item.rule, "message": item.message, "remedy": item.remedy} for item in refusals]
        super().__init__(422, first.rule, first.message, first.remedy, details={"refusals": listed})
        self.rules = tuple(item.rule for item in refusals)


def wrong_secret() -> ApiError:
    """One answer for a wrong secret and for a grant that is not there."""
    return ApiError(403, "wrong_secret", "This secret does not open this grant.", "Check both; a secret opens one grant only.")


def already_answered() -> ApiError:
    """The one-time secret has done its work."""
    return ApiError(409, "already_answered", "This request was answered before.", "Use the grant's own secret from now on.")


def not_signed_in_as_her() -> ApiError:
    """Whoever asked for a grant held its one-time secret; once she has said yes, that alone makes nobody her."""
    return ApiError(
        403,
        "not_signed_in_as_her",
        "This person said yes before, and nothing shows that it is she who answers now.",
        "Sign in with the secret of an earlier grant and answer again; a program sends that secret as Assent-Grant-Secret.",
    )


def bad_device_signature() -> ApiError:
    """Nothing is given: a signature that does not hold is no lesser yes, but a sign that something is wrong."""
    return ApiError(422, "bad_device_signature", "The signature of this device does not hold.", "Say yes again, or with the secret alone.")


def notice_mismatch() -> ApiError:
    """A yes counts for the text that was read."""
    return ApiError(409, "notice_mismatch", "This is not the notice of this grant.", "Read the notice of the grant and send its digest.")


def not_live(state: str) -> ApiError:
    """The grant has ended or was never given."""
    return ApiError(409, "grant_not_live", f"The grant is {state}.", "Saying yes again is a new grant.")


def grant_too_large() -> ApiError:
    """No record of the log holds it, so a yes to it could be told to nobody."""
    return ApiError(422, "grant_too_large", "The sources and regions of this grant are too long together.", "Ask for several grants.")


def registry_file_read() -> ApiError:
    """The rows are deleted and still lie in the write-ahead log: nothing is told of them before it is empty."""
    return ApiError(503, "registry_file_read", "Another process reads the registry's file.", "It goes on by itself once that ends.")


def conflict() -> ApiError:
    """Somebody else changed it first (optimistic lock)."""
    return ApiError(409, "revision_conflict", "The grant was changed meanwhile.", "Read it again and send its new revision.")


def face_not_held() -> ApiError:
    """A reference is a face of this very grant, whose picture is there."""
    return ApiError(404, "face_not_held", "No such face is held under this grant.", "Choose one of the pictures held of you.")


def not_found(what: str) -> ApiError:
    """Nothing of that id, for callers who may know."""
    return ApiError(404, "not_found", f"There is no {what} of this id.", "Check the id.")
