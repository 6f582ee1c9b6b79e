"""Commands about policies: ``solve`` and ``policy``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

import milplib
from milplib.cli.console import (
    Blocks,
    Networks,
    WholeNumber,
    allow_modules_here,
    print_json,
    print_pairs,
)
from milplib.cli.names import SHIPPED, PolicyName
from milplib.files import file_sha256
from milplib.outcomes import SolveStatus

__all__ = ["policy_app", "solve"]

policy_app = App(name="policy", help="Inspect shipped policies and policy files.")

# Readable words for some of SCIP's statuses.
_STATUS = {
    SolveStatus.INFEASIBLE_OR_UNBOUNDED: "infeasible or unbounded",
    SolveStatus.TIME_LIMIT: "time limit",
    SolveStatus.INTERRUPTED: "interrupted",
}


def solve(
    file: Path,
    /,
    *,
    policy: PolicyName = "relpscost",
    network: Networks = (),
    blocks: Blocks = (),
    time_limit: float | None = None,
    setting: Literal["default", "learn2branch", "clean"] = "default",
    seed: WholeNumber = 0,
    on_error: Literal["fallback", "raise"] = "fallback",
    reference_objective: float | None = None,
) -> int:
    """Solve an instance and print the result.

    Parameters
    ----------
    file
        Instance file: .lp, .mps, .lp.gz or .mps.gz.
    policy
        The policy.
    network
        Torch modules of your own that policy files are of, as package.module:Net.
    blocks
        State functions of your own that policy files read, as package.module:Name.
    time_limit
        Wall-clock limit in seconds.
    setting
        ``default``: SCIP's default settings. ``learn2branch``: no cuts below the root and no
        restarts. ``clean``: no heuristics, and a cut-off just worse than the known optimum.
    seed
        Seed of SCIP.
    on_error
        If the policy fails, let SCIP's own rule decide, or stop with the error of the policy.
    reference_objective
        Known optimum, required by the setting ``clean``.
    """
    allow_modules_here(policy, *network, *blocks)
    instance = milplib.read(file)
    result = milplib.solve(
        instance,
        policy=milplib.load_policy(policy, models=network, blocks=blocks),
        time_limit=time_limit,
        setting=setting,
        seed=seed,
        on_error=on_error,
        reference_objective=reference_objective,
    )
    objective = "none" if result.objective is None else f"{result.objective:.12g}"
    lines = {
        "instance": f"{instance.name} ({instance.n_rows} rows, {instance.n_columns} columns, "
        f"{instance.n_nonzeros} nonzeros, {instance.sense})",
        "status": _STATUS.get(result.status, result.status),
        "objective": objective,
        "dual bound": f"{result.dual_bound:.12g}",
        "gap": f"{100 * result.gap:.4g} %",
        "nodes": str(result.nodes),
        "LP iterations": str(result.lp_iterations),
        "time": f"{result.time:.2f} s",
        "policy": f"{result.policy} (setting {result.setting}, seed {result.seed})",
        "policy time": f"{result.policy_time:.2f} s at {result.policy_calls} nodes",
    }
    if result.picked is not None:
        lines["picked"] = str(result.picked)
    if result.policy_errors:
        lines["policy errors"] = f"at {result.policy_errors} nodes, where SCIP's own rule decided"
    print_pairs(lines)
    return 130 if result.status is SolveStatus.INTERRUPTED else 0


@policy_app.command(name="list")
def list_policies() -> None:
    """List the shipped policies, and the families for which ``auto`` uses them."""
    from milplib.policies import AUTO, pretrained_families, pretrained_file, pretrained_names

    families = pretrained_families()
    chosen = "; ".join(f"{family.name}: {family.policy}" for family in families)
    lines = {AUTO: f"by the instance's family ({chosen}), for the rest SCIP's own rule"}
    for name in pretrained_names():
        used = ", ".join(family.name for family in families if family.policy == name)
        size = pretrained_file(name).stat().st_size
        lines[name] = f"{size / 1e3:.0f} kB, for {used or 'none by itself'}"
    print_pairs(lines)


@policy_app.command
def card(name: Annotated[str, Parameter(help=f"Name of a shipped policy: {SHIPPED}.")], /) -> None:
    """Print the card of a shipped policy: its training, results and limits.

    Parameters
    ----------
    name
        Name of a shipped policy.
    """
    from milplib.policies import pretrained_card

    print(pretrained_card(name), end="")


@policy_app.command
def info(
    policy: Annotated[
        str, Parameter(help=f"Policy file, or the name of a shipped policy: {SHIPPED}.")
    ],
    /,
    *,
    network: Networks = (),
    blocks: Blocks = (),
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Describe a policy: its architecture, inputs and training.

    Parameters
    ----------
    policy
        Policy file, the name of a shipped policy, or ``auto``.
    network
        Torch modules of your own that policy files are of, as package.module:Net.
    blocks
        State functions of your own that policy files read, as package.module:Name.
    as_json
        Print JSON.
    """
    from milplib.policies import AUTO, load_policy, read_policy
    from milplib.policies.pretrained import pretrained_or_given

    if policy == AUTO:
        _print_auto(as_json=as_json)
        return
    file = Path(str(pretrained_or_given(policy)))
    content = read_policy(file)
    allow_modules_here(*network, *blocks)
    # Refuses a file with a valid header but broken content.
    load_policy(file, models=network, blocks=blocks)
    size = file.stat().st_size
    weights = sum(tensor.size for tensor in content.tensors.values())
    if as_json:
        print_json(
            {
                "architecture": content.architecture,
                "hyperparameters": content.hyperparameters,
                "blocks": [asdict(block) for block in content.blocks],
                "state_version": content.state_version,
                "scip_major": content.scip_major,
                "weights": weights,
                "bytes": size,
                "sha256": file_sha256(file),
                "provenance": content.provenance,
            }
        )
        return
    sizes = ", ".join(f"{value} {name}" for name, value in content.hyperparameters.items())
    read = ", ".join(f"{block.name} {block.version}" for block in content.blocks)
    lines = {
        "architecture": f"{content.architecture} ({sizes}), {weights} weights",
        "blocks": read or "none",
        "for": f"state version {content.state_version}, SCIP {content.scip_major}",
        "size": f"{size / 1e3:.1f} kB, SHA-256 {file_sha256(file)}",
    }
    print_pairs(lines | dict(_flat(content.provenance)))


def _print_auto(*, as_json: bool) -> None:
    """Describe ``auto``: its families, their policies, and what it leaves to SCIP."""
    from milplib.policies import AUTO, pretrained_families
    from milplib.policies.picked import SCIPS_OWN
    from milplib.policies.pretrained import auto_digest

    families = pretrained_families()
    if as_json:
        print_json(
            {
                "policy": AUTO,
                "families": [{"name": family.name, "policy": family.policy} for family in families],
                "otherwise": SCIPS_OWN,
                "sha256": auto_digest(),
            }
        )
        return
    lines = {f"family {family.name}": family.policy for family in families}
    lines |= {
        "no family": SCIPS_OWN,
        "not only linear rows": SCIPS_OWN,
        "picks by": "features of the instance's arrays; milplib policy pick FILE names the pick",
        "SHA-256": auto_digest(),
    }
    print_pairs({AUTO: "picks a policy by the family of the instance"} | lines)


@policy_app.command
def pick(
    file: Path,
    /,
    *,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Print which policy ``auto`` picks for an instance, and why.

    Parameters
    ----------
    file
        Instance file: .lp, .mps, .lp.gz or .mps.gz.
    as_json
        Print JSON.
    """
    from milplib.policies import auto_policy

    instance = milplib.read(file)
    _, picked = auto_policy().explained(instance)
    if as_json:
        print_json({"instance": instance.name, **asdict(picked)})
    else:
        print_pairs({"instance": instance.name, "picked": str(picked)})


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield nested values as pairs, with names joined by dots."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for number, item in enumerate(value):
                yield from _flat(item, f"{prefix}{name}[{number}].")
        elif isinstance(value, list) and len(value) > 8:
            yield f"{prefix}{name}", f"{len(value)} values"
        else:
            yield f"{prefix}{name}", f"{value:.6g}" if isinstance(value, float) else str(value)
