"""How like two faces must be to count as one person's: the model's measured threshold, or a stricter one; never a looser one."""

from __future__ import annotations

from assent.faces.manifest import PackManifest, Threshold
from assent.faces.pack_errors import ModelPackError


class NoThresholdError(ModelPackError):
    """Raised when the pack measured nothing at the rate asked for, or a threshold is set that is looser than what it measured."""


def chosen_threshold(manifest: PackManifest, *, false_match_rate: float, cosine: float | None) -> Threshold:
    """The threshold to compare with; with a stricter cosine its measured rate stays as an upper bound."""
    found = manifest.threshold_at(false_match_rate)
    if found is None:
        raise NoThresholdError(
            f"The pack {manifest.name} states no threshold at a false-match rate of {false_match_rate:g} or lower; "
            "ask for a higher rate or use another pack."
        )
    if cosine is None:
        return found
    if cosine < found.cosine:
        raise NoThresholdError(
            f"The threshold {cosine:g} is looser than {found.cosine:g}, which the pack {manifest.name} measured for a false-match rate of "
            f"{found.false_match_rate:g}; set a stricter one, or ask for a higher rate."
        )
    # The strictest measurement that this cosine still satisfies: its rate is the best bound that anybody measured.
    held = [item for item in manifest.thresholds if item.false_match_rate and item.cosine <= cosine]
    best = min(held, key=lambda item: item.false_match_rate or 1.0)
    return best.model_copy(update={"cosine": cosine})
