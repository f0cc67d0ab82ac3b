"""The program, its machine, and the certificate that binds them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import subprocess
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from hydra.bootstrap.setup import read_setup, wall_now
from hydra.bootstrap.writer import Writer
from hydra.qc.preflight import certify
from tests.drill.defects.defect import Act, Defect
from tests.drill.defects.stage import Stage
from tests.e2e.mounts import _namespace
from tests.e2e.place import INLINE, REPOSITORY

_DAY = date(2025, 1, 7)
"""The day after the one that is played: what is traded now is not what is wrong."""
_SHIM = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
static double off(void) { const char *text = getenv("CLOCK_OFF"); return text ? atof(text) : 0; }
int clock_gettime(clockid_t which, struct timespec *at) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int code = real(which, at);
    if (which == CLOCK_REALTIME) at->tv_sec += (time_t)off();
    return code;
}
int gettimeofday(struct timeval *at, void *zone) {
    static int (*real)(struct timeval *, void *);
    if (!real) real = dlsym(RTLD_NEXT, "gettimeofday");
    int code = real(at, zone);
    at->tv_sec += (time_t)off();
    return code;
}
time_t time(time_t *to) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    if (to) *to = at.tv_sec;
    return at.tv_sec;
}
"""


def clock_off(stage: Stage, seconds: int) -> None:
    """The system's clock as every process of the commands reads it: a library before the system's own, in front of the call."""
    stage.command("qc")
    library = stage.folder.parent / "clock.so"
    if not library.exists():
        source = library.with_suffix(".c")
        source.write_text(_SHIM)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True, timeout=60)
    stage.prefix = ("env", f"LD_PRELOAD={library}", f"CLOCK_OFF={seconds}")


def own_program(stage: Stage) -> Path:
    """A copy of the package for this place alone, certified."""
    program = stage.folder.with_name(f"{stage.folder.name}-program")
    before = stage.place.program
    shutil.copytree(before, program)
    stage.place.program = program

    def back() -> None:
        stage.place.program = before
        shutil.rmtree(program)

    stage.undo.append(back)
    return program


def edited_source(stage: Stage) -> None:
    with (own_program(stage) / "hydra" / "risk" / "rules" / "cash.py").open("a") as source:
        source.write("# edited\n")


def removed_source(stage: Stage) -> None:
    (own_program(stage) / "hydra" / "risk" / "rules" / "cash.py").unlink()


def another_version(stage: Stage) -> None:
    """The metadata of another orjson stands before the installed one."""
    info = stage.folder / "site" / "orjson-1.2.3.dist-info"
    stage.keep(stage.folder / "site")
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: orjson\nVersion: 1.2.3\n")
    before = stage.place.env.get("PYTHONPATH")
    stage.place.env["PYTHONPATH"] = str(stage.folder / "site")
    stage.undo.append(lambda: stage.place.env.pop("PYTHONPATH") if before is None else None)


def missing_package(stage: Stage) -> None:
    """For the commands alone: an empty folder is mounted over what says that orjson is installed."""
    import orjson

    (info,) = Path(orjson.__file__).parent.parent.glob("orjson-*.dist-info")
    mount = 'mount -t tmpfs tmpfs "$0" && exec "$@"'
    stage.prefix = (*_namespace(), "sh", "-c", mount, str(info))


def practised(stage: Stage) -> None:
    """Practice on the state and the journal of what is none."""
    shutil.copy(REPOSITORY / "configs" / "dev.toml", stage.keep(stage.config.with_name("dev.toml")))
    stage.options = ("--config", "configs/dev.toml")
    stage.undo.append(lambda: setattr(stage, "options", ()))


def wrong_hours(stage: Stage) -> None:
    """A table of sessions in which today's lasts 12 hours, with the right checksum."""
    cache = stage.keep(stage.place.state / "cache" / "sessions-XNYS.json")
    document = json.loads(cache.read_text())
    rows = document["years"]["2025"]
    (index, *_rest) = [n for n, (opens, _) in enumerate(rows) if datetime.fromtimestamp(opens, UTC).date() == _DAY]
    rows[index][1] = rows[index][0] + 12 * 3600
    document["sha256"] = hashlib.sha256(json.dumps(document["years"], sort_keys=True).encode()).hexdigest()
    cache.write_text(json.dumps(document))


def no_certificate(stage: Stage) -> None:
    """A state that never saw `qc` pass: everything but the configuration is new."""
    for folder in (stage.place.state, stage.place.logs):
        shutil.rmtree(stage.keep(folder))


def another_variable(stage: Stage) -> None:
    stage.write(stage.env_file, "HYDRA_RISK__DAILY_LOSS=0.5\n")
    stage.env_file.chmod(0o600)


def certified(stage: Stage, minutes_ago: float) -> None:
    """A certificate as `qc` would have left it then."""
    with contextlib.chdir(stage.folder):
        setup = read_setup(Path("configs/paper.toml"), Path("state"), Path("logs"), {**INLINE})
        with Writer(setup=setup, command="qc") as writer:
            certify(writer.engine, writer.binding(), wall_now() - timedelta(minutes=minutes_ago), 15)


def another_host(stage: Stage) -> None:
    stage.prefix = (*_namespace(), "--uts", "sh", "-c", 'hostname elsewhere && exec "$0" "$@"')


def moved(stage: Stage) -> None:
    """The venue's books are part of its address."""
    elsewhere = stage.place.state.with_name("elsewhere")
    stage.place.state.rename(elsewhere)
    stage.place.env["HYDRA_STATE_DIR"] = "elsewhere"

    def back() -> None:
        stage.place.env.pop("HYDRA_STATE_DIR")
        elsewhere.rename(stage.place.state)

    stage.undo.append(back)


def another_bot(stage: Stage) -> None:
    stage.write(
        stage.config.parent / "bots" / "planted.py",
        "def make(setting):\n    return lambda view, memory: ([], memory)\n",
    )
    stage.append(
        stage.config,
        '\n[[bots]]\nid = "planted"\nbot = "bots/planted.py:make"\nenabled = true\nbucket = "momentum"\nsymbols = ["SPY"]\n'
        "trades_per_day = 1\npositions = 1\nstop_loss = 0.01\n"
        'session = { trade_start = "09:35", trade_end = "15:30", manage_until = "15:55" }\n',
    )
    stage.command("qc")
    stage.append(stage.config.parent / "bots" / "planted.py", "# edited\n")


def certificate(name: str, planted: str, plant: Act, reason: str, mended: str, mend: Act | None = None) -> Defect:
    """Caught by `hydra run` itself: what is running is not what was certified. `hydra qc` may well pass; then it is certified."""
    return Defect(
        name=name,
        planted=planted,
        plant=plant,
        check="certificate",
        reason=reason,
        mended=mended,
        mend=mend or (lambda _stage: None),
        run=frozenset({3}),
        by_run=True,
    )


QC = "`hydra qc`"
CERTIFICATE = (
    certificate("no certificate", "state and journal are new", no_certificate, r"there is no certificate", QC),
    certificate(
        "an expired certificate",
        "it was left 16 minutes ago",
        lambda stage: certified(stage, 16),
        r"is 16 minutes old, good for 15",
        QC,
    ),
    certificate(
        "a certificate from the future",
        "it is dated 3 minutes from now",
        lambda stage: certified(stage, -3),
        r"1[78]\d s in the future",
        QC + ", once the clock is past it",
        lambda stage: certified(stage, 1),
    ),
    certificate(
        "another machine's certificate",
        "the machine is called otherwise than when it was certified",
        another_host,
        r"made for another host",
        QC + " on the machine",
    ),
    certificate(
        "a configuration changed after `qc`",
        "`daily_loss = 0.019`",
        lambda stage: stage.set("daily_loss", "0.019"),
        r"made for another policy_hash",
        QC,
    ),
    certificate(
        "a variable changed after `qc`",
        "`HYDRA_RISK__DAILY_LOSS=0.5` in `.env`",
        another_variable,
        r"made for another policy_hash",
        QC,
    ),
    certificate(
        "a source changed after `qc`",
        "a comment at the end of `hydra/risk/rules/cash.py`",
        edited_source,
        r"made for another code_hash",
        QC,
    ),
    certificate(
        "a bot changed after `qc`",
        "a comment at the end of a bot's own file",
        another_bot,
        r"made for another code_hash",
        QC,
    ),
    certificate(
        "a state folder that was moved",
        "`state` is called `elsewhere`",
        moved,
        r"made for another url",
        "it is where it was",
        Stage.restore,
    ),
)
MACHINE = (
    Defect(
        name="practice on what is none",
        planted="`--config configs/dev.toml` on the state folder of `configs/paper.toml`",
        plant=practised,
        check="practice",
        reason=r"practice",
        mended="the configuration that belongs to it",
    ),
    Defect(
        name="a clock that has gone back",
        planted="the system's clock is 10 minutes behind what was written before",
        plant=lambda stage: clock_off(stage, -600),
        check="system_clock",
        needs="cc",
        reason=r"the clock has gone back: .* (59\d|600) s",
        mended="the clock as it was",
    ),
    Defect(
        name="a clock two minutes behind",
        planted="the system's clock is 2 minutes behind what was written before",
        plant=lambda stage: clock_off(stage, -120),
        check="system_clock",
        needs="cc",
        reason=r"the clock has gone back: .* 1[012]\d s",
        mended="the clock as it was",
        run=None,
    ),
    Defect(
        name="a clock that was never set",
        planted="the system's clock says 1996",
        plant=lambda stage: clock_off(stage, -30 * 365 * 86400),
        check="clock",
        needs="cc",
        reason=r"19\d\d-.* is before this program",
        mended="the clock as it was",
    ),
    Defect(
        name="a calendar with a day of 12 hours",
        planted="the next session in `state/cache` lasts 12 hours; the checksum is right",
        plant=wrong_hours,
        check="calendars",
        reason=r"2025-01-07 lasts 12\.0 hours, expected 3 to 7",
        mended="the table as it was",
        run=None,
    ),
    Defect(
        name="a wrong version",
        planted="orjson 1.2.3 stands before the locked one",
        plant=another_version,
        check="versions",
        reason=r"orjson is 1\.2\.3, expected ==3",
        mended="the locked version",
    ),
    Defect(
        name="a missing package",
        planted="what says that orjson is installed is gone",
        plant=missing_package,
        check="versions",
        reason=r"orjson is missing, expected ==3",
        mended="it is installed again",
    ),
)
