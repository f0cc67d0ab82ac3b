"""The ``hydra`` command. This file only says what can be typed; every command lives in ``hydra.cli.commands``.

Importing the heavy parts is left to the command that needs them, so ``hydra --help`` starts at once.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from hydra.cli.spelling import spread_lists

app = typer.Typer(
    name="hydra",
    help="Trade one account with several bots, and refuse to trade unless everything is healthy.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)

Config = Annotated[Path, typer.Option("--config", envvar="HYDRA_CONFIG", help="The policy, a TOML file.")]
StateDir = Annotated[
    Path, typer.Option("--state-dir", envvar="HYDRA_STATE_DIR", help="Store, exchange books, lock, inbox.")
]
LogDir = Annotated[Path, typer.Option("--log-dir", envvar="HYDRA_LOG_DIR", help="The journal's segments.")]
Json = Annotated[bool, typer.Option("--json", help="Exactly one JSON document on standard output.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is journaled with your name.")]

Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]

CONFIG, STATE_DIR, LOG_DIR = Path("configs/paper.toml"), Path("state"), Path("logs")
TOURNAMENT = Path("configs/tournament.toml")


def _version(wanted: bool) -> None:
    if wanted:
        from hydra import __version__

        typer.echo(f"hydra {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Trade one account with several bots, and refuse to trade unless everything is healthy."""


@app.command("check-io")
def check_io(
    config: Config = CONFIG,
    state_dir: StateDir = STATE_DIR,
    log_dir: LogDir = LOG_DIR,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Check the state and log folders, the disk, the store and the journal."""
    _call("check_io", "check-io", locals())


@app.command("test-broker")
def broker_test(
    config: Config = CONFIG,
    state_dir: StateDir = STATE_DIR,
    log_dir: LogDir = LOG_DIR,
    reconnect: Annotated[
        bool, typer.Option("--reconnect", help="Drop and re-establish sessions and streams, each step shown.")
    ] = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Reach the configured broker, ask it everything, and send an order there and back."""
    _call("broker_test", "test-broker", locals())


@app.command("verify-balance")
def verify_balance(
    config: Config = CONFIG,
    state_dir: StateDir = STATE_DIR,
    log_dir: LogDir = LOG_DIR,
    expect_equity: Annotated[
        str | None, typer.Option("--expect-equity", metavar="X", help="What the account must be worth, dollars.")
    ] = None,
    tolerance: Annotated[
        str | None, typer.Option("--tolerance", metavar="Y", help="How far it may be off, dollars; 0.01 if not given.")
    ] = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Compare account, ledger, store and journal: money, positions, orders."""
    _call("verify_balance", "verify-balance", locals())


@app.command()
def qc(
    config: Config = CONFIG,
    state_dir: StateDir = STATE_DIR,
    log_dir: LogDir = LOG_DIR,
    full: Annotated[
        bool, typer.Option("--full", help="Rehearse this policy under faults, too; takes minutes, sends nothing.")
    ] = False,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed", min=0, max=2**63 - 1, help="What all chance of --full derives from; engine.seed if not given."
        ),
    ] = None,
    storms: Annotated[
        int | None,
        typer.Option("--storms", min=1, max=1_000_000, help="How many voyages the rehearsal of --full makes."),
    ] = None,
    voyage: Annotated[
        int | None,
        typer.Option(
            "--voyage", min=1, max=999_999, help="Play this voyage of --full alone, make it small, and tell it."
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE.html", help="Write what --full found as a page to read and send."),
    ] = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Ask every preflight question; leave a certificate when all are answered well."""
    _call("qc", "qc", locals())


@app.command()
def run(
    config: Config = CONFIG,
    state_dir: StateDir = STATE_DIR,
    log_dir: LogDir = LOG_DIR,
    cycles: Annotated[int | None, typer.Option("--cycles", min=1, help="End after this many cycles.")] = None,
    interval: Annotated[
        float | None, typer.Option("--interval", min=0.01, max=3600, help="Seconds between cycles.")
    ] = None,
    speed: Annotated[
        str | None, typer.Option("--speed", metavar="X|max", help="Simulated seconds a second (simulated broker only).")
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option("--data", metavar="PATH...", help="Play recorded bars and quotes (simulated broker only)."),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option("--seed", min=0, max=2**63 - 1, help="Another invented market (simulated broker only)."),
    ] = None,
    live: Annotated[bool, typer.Option("--live", help="Trade real money; needs arming.")] = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Recover, then run the loop until the day, the cycles or the market end."""
    _call("run", "run", locals())


@app.command()
def backtest(
    config: Config = CONFIG,
    state_dir: StateDir = STATE_DIR,
    log_dir: LogDir = LOG_DIR,
    data: Annotated[
        list[Path] | None,
        typer.Option("--data", metavar="PATH...", help="Recorded prices to play; an invented market if not given."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="Where it begins; what lies before is warm-up."),
    ] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="Where it ends.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, max=2**63 - 1, help="Another invented market.")] = None,
    bot: Annotated[
        str | None,
        typer.Option(
            "--bot", metavar="MODULE:CLASS", help="This bot alone, with the settings of the first in the configuration."
        ),
    ] = None,
    symbols: Annotated[
        list[str] | None, typer.Option("--symbols", metavar="SYMBOL...", help="What --bot trades.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE.html", help="Write a page with curves, trades and reasons.")
    ] = None,
    trades: Annotated[
        Path | None, typer.Option("--trades", metavar="FILE", help="Write the trades, as .csv or .parquet.")
    ] = None,
    check_lookahead: Annotated[
        bool,
        typer.Option("--check-lookahead", help="Play it again in front of other futures: nothing may be decided anew."),
    ] = False,
    every_cycle: Annotated[
        bool, typer.Option("--every-cycle", help="Go through every cycle, also where nothing can happen.")
    ] = False,
    journal: Annotated[
        bool, typer.Option("--journal/--no-journal", help="Keep a journal that can be replayed.")
    ] = True,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Play history through the same cycle, and say what it earned."""
    _call("backtest", "backtest", locals())


@app.command()
def sweep(
    config: Config = CONFIG,
    state_dir: StateDir = STATE_DIR,
    log_dir: LogDir = LOG_DIR,
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUES",
            help="A key of the policy and its values: 0.01,0.02 or FROM:TO:STEP; repeat it.",
        ),
    ] = None,
    sample: Annotated[
        int | None,
        typer.Option("--sample", min=1, help="Play so many combinations, drawn by the seed; all if not given."),
    ] = None,
    walk_forward: Annotated[
        str | None,
        typer.Option(
            "--walk-forward", metavar="TRAIN:TEST[:STEP]", help="Choose on some days and test on those after, in days."
        ),
    ] = None,
    objective: Annotated[
        str,
        typer.Option("--objective", metavar="FIGURE", help="What the best is the best by, such as return or calmar."),
    ] = "sharpe",
    data: Annotated[
        list[Path] | None,
        typer.Option("--data", metavar="PATH...", help="Recorded prices to play; an invented market if not given."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="Where it begins; what lies before is warm-up."),
    ] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="Where it ends.")] = None,
    seed: Annotated[
        int | None,
        typer.Option("--seed", min=0, max=2**63 - 1, help="Another invented market, and another draw of --sample."),
    ] = None,
    bot: Annotated[
        str | None,
        typer.Option(
            "--bot", metavar="MODULE:CLASS", help="This bot alone, with the settings of the first in the configuration."
        ),
    ] = None,
    symbols: Annotated[
        list[str] | None, typer.Option("--symbols", metavar="SYMBOL...", help="What --bot trades.")
    ] = None,
    processes: Annotated[
        int | None,
        typer.Option("--processes", min=1, max=1024, help="How many runs at a time; every core if not given."),
    ] = None,
    ray: Annotated[
        str | None, typer.Option("--ray", metavar="ADDRESS", help="Play on this Ray cluster; local starts one here.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where log and results are kept, and gone on from.")
    ] = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Play many backtests over parameters and windows, and say how much of the best is luck."""
    _call("sweep", "sweep", locals())


@app.command()
def replay(
    log: Annotated[
        list[Path],
        typer.Argument(metavar="LOG...", help="Segments of a journal, folders of them, patterns, or - to read one."),
    ],
    cycle: Annotated[
        int | None, typer.Option("--cycle", min=1, help="Tell this cycle: seen, asked, judged, sent, and why.")
    ] = None,
    bot: Annotated[
        str | None, typer.Option("--bot", metavar="ID", help="Compare and tell only what concerns this bot.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Go on as a running engine writes, until its end.")] = False,
    what_if: Annotated[
        Path | None,
        typer.Option("--what-if", metavar="CONFIG", help="Play the same market under this policy, and compare."),
    ] = None,
    processes: Annotated[
        int | None,
        typer.Option(
            "--processes", min=1, max=1024, help="Decide in so many parts side by side; as it pays if not given."
        ),
    ] = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Execute a journal again and name the first difference; tell one cycle; or ask what if."""
    _call("replay", "replay", locals())


tournament = typer.Typer(
    invoke_without_command=True, help="Let gladiators vote, and trade on paper what they agree on."
)
app.add_typer(tournament, name="tournament")


@tournament.callback()
def _tournament(
    context: typer.Context,
    paper: Annotated[bool, typer.Option("--paper", help="On paper, at the simulated exchange; needed.")] = False,
    assets: Annotated[
        list[str] | None,
        typer.Option("--assets", metavar="PAIR...", help="What is voted on, in turn: BTC-USD ETH-USD."),
    ] = None,
    iterations: Annotated[
        int, typer.Option("--iterations", metavar="N", help="End after so many; -1: go on without end.")
    ] = -1,
    interval: Annotated[
        float | None,
        typer.Option(
            "--interval", metavar="S", help="Seconds between two; 0 for prices that are played: the next candle."
        ),
    ] = None,
    market: Annotated[
        str | None,
        typer.Option("--market", metavar="NAME", help="coinbase, recorded or synthetic; as configured if not given."),
    ] = None,
    data: Annotated[
        list[Path] | None, typer.Option("--data", metavar="PATH...", help="The files or folders of --market recorded.")
    ] = None,
    speed: Annotated[
        str | None,
        typer.Option("--speed", metavar="X|max", help="How fast played prices pass; max if not given."),
    ] = None,
    granularity: Annotated[
        int | None, typer.Option("--granularity", metavar="S", help="Seconds of a candle; as configured if not given.")
    ] = None,
    control: Annotated[
        str | None,
        typer.Option("--control", metavar="NAME", help="Change every brief by this control before anybody is asked."),
    ] = None,
    recorded_votes: Annotated[
        bool, typer.Option("--recorded-votes", help="Ask no model: votes come from what was recorded of them.")
    ] = False,
    replay: Annotated[
        str | None,
        typer.Option(
            "--replay", metavar="RUN", help="Go through a run again without a call, and compare; latest: the last."
        ),
    ] = None,
    config: Annotated[Path, typer.Option("--config", help="Seats, market, risk: a TOML file.")] = TOURNAMENT,
    state_dir: StateDir = STATE_DIR,
    log_dir: LogDir = LOG_DIR,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Let gladiators vote, and trade on paper what they agree on."""
    options = dict(locals())
    if options.pop("context").invoked_subcommand is None:
        _call("tournament", "tournament", options)


@tournament.command("report")
def tournament_report(
    run: Annotated[
        str | None,
        typer.Argument(metavar="RUN", help="A run, or a folder with a vote history; the last run if not given."),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            "--against", metavar="RUN", help="The run or folder that a control run is held against; found if not given."
        ),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option("--data", metavar="PATH...", help="Judge by these recorded prices instead of the journal's."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE.html", help="Write a page with tables and pictures.")
    ] = None,
    log_dir: LogDir = LOG_DIR,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Say what the votes were worth, beside what chance would have done."""
    _call("tournament_report", "tournament report", locals())


@app.command()
def sim(
    config: Config = CONFIG,
    state_dir: StateDir = STATE_DIR,
    log_dir: LogDir = LOG_DIR,
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The port; 0 takes a free one.")] = 8765,
    data: Annotated[
        list[Path] | None,
        typer.Option("--data", metavar="PATH...", help="Play recorded prices instead of invented ones."),
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="Where its clock starts, such as 2013-10-07T13:30:00Z.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, max=2**63 - 1, help="Another invented market.")] = None,
    speed: Annotated[
        str | None, typer.Option("--speed", metavar="X|max", help="Simulated seconds a second; 1 if not given.")
    ] = None,
    lockstep: Annotated[bool, typer.Option("--lockstep", help="Its clock moves only when told.")] = False,
    faults: Annotated[
        Path | None, typer.Option("--faults", metavar="FILE", help="What it is to get wrong, a fault file.")
    ] = None,
    fault_admin: Annotated[bool, typer.Option("--fault-admin", help="Let clients see and change the faults.")] = False,
    rate_limit: Annotated[
        int | None,
        typer.Option(
            "--rate-limit",
            min=0,
            max=10**9,
            help="Requests a minute; 0 for no limit. 200, or none in lockstep, if not given.",
        ),
    ] = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Serve a local exchange that speaks Alpaca's protocol, for any Alpaca client."""
    _call("sim", "sim", locals())


@app.command()
def status(
    config: Config = CONFIG,
    state_dir: StateDir = STATE_DIR,
    log_dir: LogDir = LOG_DIR,
    watch: Annotated[bool, typer.Option("--watch", help="Refresh every two seconds until interrupted.")] = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Show mode, halts, positions, orders, budgets, certificate and inbox."""
    _call("status", "status", locals())


@app.command()
def halt(
    reason: Reason,
    config: Config = CONFIG,
    state_dir: StateDir = STATE_DIR,
    log_dir: LogDir = LOG_DIR,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Latch a halt: no entries until `hydra resume`; open positions are still managed."""
    _call("operator", "halt", locals())


@app.command()
def resume(
    reason: Reason,
    config: Config = CONFIG,
    state_dir: StateDir = STATE_DIR,
    log_dir: LogDir = LOG_DIR,
    force: Annotated[bool, typer.Option("--force", help="Resume before the cool-off is over.")] = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Lift every latched halt."""
    _call("operator", "resume", locals())


@app.command()
def flatten(
    config: Config = CONFIG,
    state_dir: StateDir = STATE_DIR,
    log_dir: LogDir = LOG_DIR,
    bot: Annotated[str, typer.Option("--bot", metavar="ID", help="Only what this bot holds.")] = "",
    yes: Yes = False,
    timeout: Annotated[
        float, typer.Option("--timeout", min=1, max=86400, help="Seconds after which it gives up.")
    ] = 120.0,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Cancel entries and close positions, of one bot or of all; nothing is entered meanwhile."""
    _call("flatten", "flatten", locals())


@app.command()
def doctor(
    config: Config = CONFIG,
    state_dir: StateDir = STATE_DIR,
    log_dir: LogDir = LOG_DIR,
    fix: Annotated[bool, typer.Option("--fix", help="Mend what is safe to mend.")] = False,
    accept_foreign: Annotated[
        bool, typer.Option("--accept-foreign", help="Take what ledger and venue differ in as it is at the venue.")
    ] = False,
    yes: Yes = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Say what is wrong and how to mend it."""
    _call("doctor", "doctor", locals())


bots = typer.Typer(
    name="bots",
    help="Show the bots and where each stands, release one from quarantine, or write a new one.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
app.add_typer(bots)


@bots.command("list")
def bots_list(
    config: Config = CONFIG,
    state_dir: StateDir = STATE_DIR,
    log_dir: LogDir = LOG_DIR,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Show every bot: its code, its state, its day and its share of the risk."""
    _call("bots", "bots list", locals())


@bots.command("release")
def bots_release(
    bot: Annotated[str, typer.Argument(metavar="ID", help="The bot's id in the configuration.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it is journaled with your name.")] = "",
    forget: Annotated[bool, typer.Option("--forget", help="Make it forget what it remembers, too.")] = False,
    config: Config = CONFIG,
    state_dir: StateDir = STATE_DIR,
    log_dir: LogDir = LOG_DIR,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Let a bot out of quarantine: its failed answers are forgotten, and it is asked again."""
    _call("operator", "bots release", locals())


@bots.command("new")
def bots_new(
    name: Annotated[str, typer.Argument(help="What it is called: lower-case letters, digits and _.")],
    config: Config = CONFIG,
    state_dir: StateDir = STATE_DIR,
    log_dir: LogDir = LOG_DIR,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Write a bot with its test into bots/ beside the configuration, and show its entry."""
    _call("bots", "bots new", locals())


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder.")],
    broker: Annotated[
        str, typer.Option("--broker", help="Which venue the configuration is for: sim or alpaca.")
    ] = "sim",
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Write a commented configuration and an .env template."""
    _call("init", "init", locals())


def _call(module: str, command: str, options: dict[str, Any]) -> None:
    """Import the command's module and run it, both inside the outermost frame."""
    from importlib import import_module

    from hydra.cli.frame import in_frame

    raise typer.Exit(
        in_frame(command, options, lambda frame: import_module(f"hydra.cli.commands.{module}").command(frame))
    )


def main() -> None:
    """The entry point: lists spread as people type them, then typer."""
    from hydra.cli.frame import leave_what_is_left_behind, mend_streams, usage_document

    # What is installed but not named is never loaded, a plugin of pydantic's included (and looking for one takes time).
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    mend_streams()
    arguments = spread_lists(sys.argv[1:])
    try:
        app(args=arguments, prog_name="hydra")
    except SystemExit as ending:
        # The parser has told people what is wrong with the line; a program that asked for a document gets one too.
        usage = getattr(ending.__context__, "format_message", None)
        if usage is not None and "--json" in arguments:
            usage_document(next((word for word in arguments if not word.startswith("-")), ""), usage(), ending.code)
        leave_what_is_left_behind(ending.code)
        raise
    except OSError as error:
        # Commands mind their own; this is the help that could not be printed.
        sys.stderr.write(f"the help cannot be shown: {error}\n")
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
