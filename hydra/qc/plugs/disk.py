"""What lies on this machine: configuration, folders, files, store, journal, clock. Asked without the writer's lock."""

from __future__ import annotations

from collections.abc import Callable

from hydra.qc import site as disk
from hydra.qc.check import Finding
from hydra.qc.plug import CheckPlug, Subject, need, one
from hydra.qc.site import Site

WHOLE_JOURNAL_SECONDS = 600.0
"""Reading a journal to its end takes as long as it is: months of it, minutes."""

_FIRST_SECONDS = 120.0
"""The very first time heavy libraries are read from the disk and tables are made, which takes a loaded machine long."""


def _of(ask: Callable[[Site], Finding]) -> Callable[[Subject], Finding]:
    return lambda subject: ask(need(subject.site, "this machine"))


def _told(name: str) -> Callable[[Subject], Finding]:
    """What the composition root answers under this name."""
    return _of(lambda site: disk.told(site, name))


configuration = CheckPlug(
    name="configuration",
    question="Can the configuration be read, does it hold together, and is everything there that it names?",
    remedy="change what the reason names in the configuration, the environment or .env",
    make=one(_told("configuration")),
    deadline_seconds=_FIRST_SECONDS,
)
practice = CheckPlug(
    name="practice",
    question="Is the state folder for what the configuration is for, practice or not?",
    remedy="name other folders with --state-dir and --log-dir",
    make=one(_told("practice")),
)
state_folder = CheckPlug(
    name="state_folder",
    question="Can the state folder be written, synced and read back?",
    remedy="make the state folder writable for this user, or name another with --state-dir",
    make=one(_of(lambda site: disk.probed(site, "state_io"))),
    mendable=True,
)
log_folder = CheckPlug(
    name="log_folder",
    question="Can the log folder be written, synced and read back?",
    remedy="make the log folder writable for this user, or name another with --log-dir",
    make=one(_of(lambda site: disk.probed(site, "journal_io"))),
    mendable=True,
)
room = CheckPlug(
    name="disk",
    question="Is there room for journal and store?",
    remedy="free disk space, or lower health.disk_free_mb",
    make=one(_of(lambda site: disk.probed(site, "disk"))),
)
env_file = CheckPlug(
    name="env_file",
    question="Is the file with the secrets closed to others?",
    remedy="chmod 600 .env (or `hydra doctor --fix`)",
    make=one(_of(disk.env_file)),
    mendable=True,
)
permissions = CheckPlug(
    name="permissions",
    question="Can nobody else change the configuration, or read and change what Hydra writes?",
    remedy="chmod go-w what the reason names (secrets: chmod 600), chown to the user who runs this; `hydra doctor --fix`",
    make=one(_told("permissions")),
    mendable=True,
)
lock = CheckPlug(
    name="lock",
    question="Is nobody else writing?",
    remedy="stop the other process, or wait until it is done",
    make=one(_of(disk.lock)),
    critical=False,
    mendable=True,
)
sole_writer = CheckPlug(
    name="sole_writer",
    question="Is nobody else writing, so that this command may?",
    remedy="stop the other process, or wait until it is done",
    make=one(_of(disk.lock), name="lock"),
    mendable=True,
)
store = CheckPlug(
    name="store",
    question="Does the state store open, and is it sound?",
    remedy="rebuild it from the journal: `hydra doctor --fix`",
    make=one(_of(disk.store)),
    deadline_seconds=_FIRST_SECONDS,
    mendable=True,
)
journal = CheckPlug(
    name="journal",
    question="Is the journal's chain whole, and does the store belong to it?",
    remedy="restore the damaged segment from a backup; if the store is ahead or foreign: `hydra doctor --fix`",
    make=one(_of(disk.journal)),
    deadline_seconds=WHOLE_JOURNAL_SECONDS,
    mendable=True,
)
chain = CheckPlug(
    name="chain",
    question="Is the journal's chain whole since the last certificate, and does the store belong to it?",
    remedy="restore the damaged segment from a backup; if the store is ahead or foreign: `hydra doctor --fix`",
    make=one(_told("chain"), name="journal"),
    deadline_seconds=WHOLE_JOURNAL_SECONDS,
    mendable=True,
)
inbox = CheckPlug(
    name="inbox",
    question="Is everything in the inbox a command?",
    remedy="`hydra doctor --fix` moves what is none to inbox/refused",
    make=one(_told("inbox")),
    critical=False,
    mendable=True,
)
leftovers = CheckPlug(
    name="leftovers",
    question="Has no command left half a file behind?",
    remedy="`hydra doctor --fix` moves them aside",
    make=one(_told("leftovers")),
    critical=False,
    mendable=True,
)
clock = CheckPlug(
    name="clock",
    question="Is this machine's clock plausible?",
    remedy="set the clock; use a time service",
    make=one(_of(disk.clock)),
)
system_clock = CheckPlug(
    name="system_clock",
    question="Does this machine's clock go as time does?",
    remedy="set the clock; use a time service; if it was wrong before: wait until it has caught up",
    make=one(_told("system_clock")),
)
clock_service = CheckPlug(
    name="clock_service",
    question="Does a time service keep this machine's clock?",
    remedy="install and start a time service (systemd-timesyncd, chrony)",
    make=one(_told("clock_service")),
    critical=False,
)
versions = CheckPlug(
    name="versions",
    question="Is what is installed what the lock says?",
    remedy="make (or: pip install -r configs/locks/run.txt); then `hydra qc` again",
    make=one(_told("versions")),
    deadline_seconds=_FIRST_SECONDS,
)
calendars = CheckPlug(
    name="calendars",
    question="Do the exchanges' calendars reach far enough, and know today?",
    remedy="update exchange_calendars; delete the folder cache in the state folder (or `hydra doctor --fix`)",
    make=one(_told("calendars")),
    deadline_seconds=_FIRST_SECONDS,
    mendable=True,
)
