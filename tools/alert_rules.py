"""The alert rules and their tests, held against the declared metrics and the runbook; never a running Prometheus."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import yaml

from assent.telemetry import metrics
from assent.telemetry.metric_definition import MetricDefinition

ROOT = Path(__file__).resolve().parent.parent
RULES = "deploy/prometheus/rules"
TESTS = "deploy/prometheus/tests"
RUNBOOK = "docs/operations/alerts.md"
CODE = ("assent", "services")
FEEDS = frozenset({"set", "increase", "observe"})
# What a scrape adds to every series, and a histogram to its buckets.
SCRAPED_LABELS = frozenset({"instance", "job", "le"})
# The series that Prometheus itself makes of each scrape.
SCRAPE = "up"

Document = dict[str, Any]


def rule_faults(rules: list[Document], tests: list[Document], runbook: str, fed: frozenset[str]) -> Iterator[str]:
    """One sentence for each rule that no code feeds, no page explains, or no test fires and silences, and for each page of no rule."""
    headings = re.findall(r"^### (.+)$", runbook, re.MULTILINE)
    anchors = {_anchor(heading) for heading in headings}
    alerts = [rule for document in rules for group in document["groups"] for rule in group["rules"]]
    names = [rule["alert"] for rule in alerts]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"alert {name} is declared twice"
    yield from (f"{RUNBOOK}: no alert is called {heading}" for heading in headings if heading not in names)
    fired, silent = _tested(tests)
    for rule in alerts:
        name = rule["alert"]
        yield from (f"alert {name}: {fault}" for fault in _alert_faults(rule, anchors, fed))
        if name not in fired:
            yield f"alert {name}: no test makes it fire"
        if name not in silent:
            yield f"alert {name}: no test keeps it silent"
    for document in tests:
        for test in document["tests"]:
            for series in test["input_series"]:
                yield from (f"test {test['name']!r}: {fault}" for fault in _series_faults(series["series"]))


def promtool_faults(promtool: Path, root: Path = ROOT) -> Iterator[str]:
    """What promtool itself says about the rules and their unit tests."""
    for verb, folder in (("check", RULES), ("test", TESTS)):
        files = sorted(str(path) for path in (root / folder).glob("*.yaml"))
        done = subprocess.run([promtool, verb, "rules", *files], capture_output=True, text=True, check=False)
        if done.returncode:
            yield f"promtool {verb} rules: {(done.stdout + done.stderr).strip()}"


def documents(folder: str, root: Path = ROOT) -> list[Document]:
    """Every YAML file of the folder."""
    return [yaml.safe_load(path.read_text()) for path in sorted((root / folder).glob("*.yaml"))]


def fed_metrics(root: Path = ROOT) -> frozenset[str]:
    """Every series of a metric that some line of the code sets, increases or observes."""
    names = {name for folder in CODE for path in (root / folder).rglob("*.py") for name in _fed_in(ast.parse(path.read_text()))}
    definitions = {name: found for name, found in vars(metrics).items() if isinstance(found, MetricDefinition)}
    return frozenset(series for name in names & definitions.keys() for series in definitions[name].series_names())


def _fed_in(tree: ast.AST) -> Iterator[str]:
    """Names that stand first in a call of one of the three verbs: `metrics.set(declared.VECTORS, 1)` gives VECTORS."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=verb), args=[ast.Attribute(attr=name), *_]) if verb in FEEDS:
                yield name
            case ast.Call(func=ast.Attribute(attr=verb), args=[ast.Name(id=name), *_]) if verb in FEEDS:
                yield name


def _alert_faults(rule: Document, anchors: set[str], fed: frozenset[str]) -> Iterator[str]:
    try:
        promql_parser.parse(rule["expr"])
    except ValueError as error:
        yield f"the expression cannot be parsed: {error}"
    used = set(re.findall(r"\bassent_[a-z0-9_]+", rule["expr"]))
    yield from (f"no metric is called {metric}" for metric in sorted(used - metrics.series_names()))
    yield from (f"nothing in the code feeds {metric}" for metric in sorted((used & metrics.series_names()) - fed))
    if rule.get("labels", {}).get("severity") not in {"page", "ticket"}:
        yield "severity is neither page nor ticket"
    if not rule.get("labels", {}).get("owner") or not rule.get("annotations", {}).get("summary"):
        yield "it needs an owner and a summary"
    page, _, anchor = rule.get("annotations", {}).get("runbook_url", "").partition("#")
    if page != RUNBOOK or anchor not in anchors:
        yield f"runbook_url names no heading of {RUNBOOK}"
    elif anchor != _anchor(rule["alert"]):
        yield f"runbook_url names the heading of another alert: {anchor}"


def _series_faults(series: str) -> Iterator[str]:
    """A test on labels that the metric does not have would prove nothing."""
    name, _, rest = series.partition("{")
    if name == SCRAPE:
        return
    definition = next((found for found in metrics.ALL if name in found.series_names()), None)
    if definition is None:
        yield f"no metric is called {name}"
    elif wrong := _wrong_labels(definition, set(re.findall(r"(\w+)=", rest))):
        yield f"{name} has the labels {sorted(definition.labels)}; the difference is {sorted(wrong)}"


def _wrong_labels(definition: MetricDefinition, used: set[str]) -> set[str]:
    return (used - SCRAPED_LABELS) ^ set(definition.labels)


def _tested(tests: list[Document]) -> tuple[set[str], set[str]]:
    """Names of the alerts that some test expects to fire, and of those that some test expects to be silent."""
    cases = [case for document in tests for test in document["tests"] for case in test["alert_rule_test"]]
    fired = {case["alertname"] for case in cases if case.get("exp_alerts")}
    silent = {case["alertname"] for case in cases if not case.get("exp_alerts")}
    return fired, silent


def _anchor(heading: str) -> str:
    """The anchor that a heading gets on a rendered page."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
