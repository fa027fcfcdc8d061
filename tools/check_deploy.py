"""Everything under deploy/ that can be proved without a cluster or a container engine; the rest is listed in deploy/README.md."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from tools.alert_rules import RULES, RUNBOOK, TESTS, documents, fed_metrics, promtool_faults, rule_faults
from tools.deployed_access import access_faults
from tools.deployed_manifests import DOCKERFILE, KUSTOMIZATIONS, ROOT, BuildError, build, image_targets, manifest_faults
from tools.deployed_settings import setting_faults
from tools.outside_programs import find_promtool, required, why_missing


def main() -> int:
    faults = list(_faults())
    for fault in faults:
        print(f"deploy: {fault}", file=sys.stderr)
    return 1 if faults else 0


def _faults() -> Iterator[str]:
    targets = image_targets((ROOT / DOCKERFILE).read_text())
    for folder in KUSTOMIZATIONS:
        try:
            manifests = build(folder)
        except BuildError as error:
            yield str(error)
            continue
        found = (*manifest_faults(manifests, targets), *setting_faults(manifests), *access_faults(manifests))
        yield from (f"{folder}: {fault}" for fault in found)
    yield from rule_faults(documents(RULES), documents(TESTS), (ROOT / RUNBOOK).read_text(), fed_metrics())
    promtool = find_promtool()
    if promtool is not None:
        yield from promtool_faults(promtool)
    elif "promtool" in required():
        yield f"ASSENT_REQUIRE names promtool: {why_missing('promtool')}"
    else:
        print(f"deploy: promtool's own checks are skipped: {why_missing('promtool')}")


if __name__ == "__main__":
    sys.exit(main())
