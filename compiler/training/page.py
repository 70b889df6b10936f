"""The page of a run, written after each epoch and at its end.

In: a session, its folder, the last evaluation, the run's status. Out: `report.html`.
"""

from __future__ import annotations

from pathlib import Path

from archspec.compiler.memory import size_text
from archspec.compiler.pages.map_pictures import predicted_maps
from archspec.compiler.pages.mistake_pictures import mistaken_images
from archspec.compiler.progress import clock
from archspec.compiler.training.loop.held_out import HeldOutResult
from archspec.compiler.training.records.peak_memory import peak_memory
from archspec.compiler.training.records.report_page import versions, write_report
from archspec.compiler.training.records.run_folder import REPORT, RunFolder
from archspec.compiler.training.records.run_status import RunStatus
from archspec.compiler.training.session import Session


def write_page(session: Session, folder: RunFolder, result: HeldOutResult | None, status: RunStatus) -> Path:
    """Write the page and return its path; a run without an evaluation yet has no `result`. Raises ArchspecError."""
    configuration, path = session.configuration, folder.path / REPORT
    data = configuration.data
    write_report(
        path,
        configuration.network.title,
        folder.rows,
        configuration.recipe.to_dict(),
        result.evaluation if result else None,
        _notes(session, folder),
        why=configuration.why,
        status=status,
        mistakes=mistaken_images(result.mistakes, data.held_out, data.class_names) if result else (),
        maps=predicted_maps(result.maps, data.held_out) if result else (),
    )
    return path


def _notes(session: Session, folder: RunFolder) -> dict[str, str]:
    network, device = session.configuration.network, session.context.group.device
    measured = peak_memory(device)
    published = network.sources.accuracies if network.sources else {}
    return {
        "network": network.title,
        "parameters": f"{network.params:,}",
        **({"published": ", ".join(f"top-{k} {share:g} %" for k, share in published.items())} if published else {}),
        "data": session.configuration.data.description,
        "time": clock(sum(row.seconds for row in folder.rows)),
        "device": str(device),
        **({"recipe": session.configuration.why["recipe"]} if session.configuration.why else {}),
        "memory, predicted": f"{size_text(session.plan.memory_bytes)} of tensors in a step, per process, in float32",
        "memory, measured": measured.text if measured else "unknown on this system",
        "versions": versions(),
    }
