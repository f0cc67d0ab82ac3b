"""The peer of ``hydra --help``: a Typer application with rich help, three commands like any app's, and nothing behind them."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(name="bare", help="Do one of three things.", no_args_is_help=True, rich_markup_mode="rich")


@app.command()
def run(
    config: Annotated[Path, typer.Option("--config", help="A file.")] = Path("settings.toml"),
    count: Annotated[int, typer.Option("--count", min=1, help="How often.")] = 1,
    json: Annotated[bool, typer.Option("--json", help="One document on standard output.")] = False,
) -> None:
    """Run the thing."""
    typer.echo(f"{config} {count} {json}")


@app.command()
def check(folder: Annotated[Path, typer.Argument(help="A folder.")]) -> None:
    """Check a folder."""
    typer.echo(folder)


@app.command()
def status(verbose: Annotated[bool, typer.Option("--verbose", help="Say more.")] = False) -> None:
    """Show how it stands."""
    typer.echo(verbose)


if __name__ == "__main__":
    app()
