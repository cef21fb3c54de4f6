"""`pose3d weights download`, `verify`, `path` and `import`: networks that do not come with us."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pose3d_cli.cli.screen import Screen
from pose3d_cli.cli.table import table
from pose3d_cli.errors import ExitCode, SettingsError, WeightsError

EXAMPLES = {
    "download": [
        "pose3d weights download rtmpose-m-halpe26 yolox-nano",
        "pose3d weights download rtmpose-m-halpe26 --overwrite",
        "pose3d weights download yolox-nano --url https://mirror.example.org/yolox_nano.zip",
    ],
    "verify": ["pose3d weights verify", "pose3d weights verify rtmpose-m-halpe26 --json"],
    "path": ["pose3d weights path rtmpose-m-halpe26"],
    "import": [
        "pose3d weights import yolox_nano_8xb8-300e_humanart-40f6f0d0.zip",
        "pose3d weights import end2end.onnx --as rtmpose-m-halpe26",
    ],
}

_Names = Annotated[
    list[str], typer.Argument(metavar="NAME", help="Networks (`pose3d weights list --all`).")
]


def download(
    names: _Names,
    screen: Screen,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="Fetch it from another place.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite/--no-overwrite", help="Fetch again what is there.")
    ] = False,
) -> None:
    """Download networks into the cache.

    The cache is $POSE3D_CACHE, or the system's folder for caches. A download that was interrupted
    goes on where it stopped. Digests are checked; where none is published the file is trusted on
    first use, which is said, and compared with that from then on. HTTPS_PROXY, NO_PROXY,
    SSL_CERT_FILE and REQUESTS_CA_BUNDLE are honoured; POSE3D_OFFLINE=1 forbids downloads.
    """
    from pose3d_cli.files.catalogue import find_model
    from pose3d_cli.files.model_store import download_model
    from pose3d_cli.pipeline.models import describe_model

    models = [find_model(name) for name in dict.fromkeys(names)]
    if url and len(models) > 1:
        raise SettingsError("--url is the place of one file; give one NAME with it")
    done, code = {}, int(ExitCode.OK)
    for model in models:
        try:
            urls = [url] if url else []
            done[model] = download_model(model, watcher=screen, urls=urls, overwrite=overwrite)
        except WeightsError as error:  # the others may be had
            code = screen.error(error, model=model.name)
    if done:
        screen.show({"models": [describe_model(model) for model in done]}, done.values())
    if code:
        raise typer.Exit(code)


def verify(
    screen: Screen,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Weights (default: all that are here)."),
    ] = None,
) -> None:
    """Check weights that are here against what is known of them.

    Exit code 4 if any is damaged.
    """
    from pose3d_cli.pipeline.models import verify

    found = verify(names or [])
    rows = [(v.name, "ok" if v.is_ok else "DAMAGED", v.what) for v in found]
    screen.show({"weights": [vars(v) for v in found]}, table([("name", "", "what"), *rows]))
    if not all(v.is_ok for v in found):
        raise typer.Exit(ExitCode.BAD_WEIGHTS)


def path(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Shipped weights, or a network.")],
    screen: Screen,
) -> None:
    """Print where the file of weights is, and no more."""
    from pose3d_cli.pipeline.models import find_file

    found = find_file(name)
    screen.show({"name": name, "path": str(found)}, [found])


def import_(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="As it is downloaded, or what was taken out of a zip."),
    ],
    screen: Screen,
    name: Annotated[
        str | None,
        typer.Option("--as", metavar="NAME", help="Which network it is (default: told by itself)."),
    ] = None,
) -> None:
    """Take in a network that was fetched by other means, for machines without a network.

    It is copied into the cache and checked as a download is. Which one it is, is told by the name
    of the file or its sha256.
    """
    from pose3d_cli.files.catalogue import find_model
    from pose3d_cli.files.model_store import import_file, recognise
    from pose3d_cli.pipeline.models import describe_model

    model = find_model(name) if name else recognise(file)
    path = import_file(file, model, watcher=screen)
    screen.note(f"{file}: is {model.name}; licence {model.licence}")
    screen.show({"models": [describe_model(model)]}, [path])
