"""The tables, as numbered migrations; the version in use is in PRAGMA user_version.

A migration that was released is never edited: a change is a new one, and a recorded database of
each version is opened in a test. Tables are STRICT, so that a wrong type fails where it is written.
"""

from __future__ import annotations

from exile_tui.errors import ProfileError
from exile_tui.store import problems, search
from exile_tui.store.database import Database

_VERSION_1 = (
    # `scrub` is set while pages may hold copies of deleted lines: see wiping.py.
    """CREATE TABLE profile (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        vault_id BLOB NOT NULL,
        scrub INTEGER NOT NULL DEFAULT 0
    ) STRICT""",
    # AUTOINCREMENT wherever an id outlives its row (events, `seen`): it is never given again.
    """CREATE TABLE contact (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        state TEXT NOT NULL,
        name TEXT NOT NULL,
        name_serial INTEGER NOT NULL,
        created_ms INTEGER NOT NULL,
        safety_digits TEXT NOT NULL,
        bundle_hash BLOB NOT NULL UNIQUE,
        expiry_ms INTEGER NOT NULL,
        peer_mailbox BLOB,
        peer_mailbox_serial INTEGER NOT NULL,
        verified_digits TEXT,
        verified_ms INTEGER,
        verified_how TEXT,
        answered INTEGER NOT NULL
    ) STRICT""",
    """CREATE TABLE session (
        contact_id INTEGER PRIMARY KEY REFERENCES contact ON DELETE CASCADE,
        version INTEGER NOT NULL,
        state BLOB NOT NULL
    ) STRICT""",
    # The counters spare every list and status line a scan; triggers below keep two of them.
    """CREATE TABLE conversation (
        contact_id INTEGER PRIMARY KEY REFERENCES contact ON DELETE CASCADE,
        next_seq INTEGER NOT NULL DEFAULT 1,
        unread INTEGER NOT NULL DEFAULT 0,
        waiting INTEGER NOT NULL DEFAULT 0
    ) STRICT""",
    # Rows are appended in the order of their ids, so that a page that is full stays as it is.
    """CREATE TABLE message (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        contact_id INTEGER NOT NULL REFERENCES contact ON DELETE CASCADE,
        seq INTEGER NOT NULL,
        direction TEXT NOT NULL,
        kind TEXT NOT NULL,
        content_id BLOB,
        sent_ms INTEGER NOT NULL,
        stored_ms INTEGER NOT NULL,
        delivery TEXT,
        reason TEXT NOT NULL,
        read INTEGER NOT NULL,
        text TEXT NOT NULL
    ) STRICT""",
    # A window of a conversation from any seq, the newest line too.
    "CREATE UNIQUE INDEX message_seq ON message (contact_id, seq)",
    # Duplicates and acknowledgements; NULL (no id) is distinct from NULL.
    "CREATE UNIQUE INDEX message_content ON message (contact_id, direction, content_id)",
    # Small ones over the few rows that are still to be worked on.
    "CREATE INDEX message_queued ON message (contact_id, seq) WHERE delivery = 'queued'",
    "CREATE INDEX message_unread ON message (contact_id, seq) WHERE read = 0",
    """CREATE TRIGGER message_inserted AFTER INSERT ON message
        WHEN NEW.read = 0 OR NEW.delivery IN ('queued', 'waiting') BEGIN
        UPDATE conversation SET
            unread = unread + (NEW.direction = 'in' AND NEW.read = 0),
            waiting = waiting + ifnull(NEW.delivery IN ('queued', 'waiting'), 0)
        WHERE contact_id = NEW.contact_id;
    END""",
    """CREATE TRIGGER message_updated AFTER UPDATE OF read, delivery ON message BEGIN
        UPDATE conversation SET
            unread = unread + (NEW.direction = 'in' AND NEW.read = 0)
                - (OLD.direction = 'in' AND OLD.read = 0),
            waiting = waiting + ifnull(NEW.delivery IN ('queued', 'waiting'), 0)
                - ifnull(OLD.delivery IN ('queued', 'waiting'), 0)
        WHERE contact_id = NEW.contact_id;
    END""",
    """CREATE TRIGGER message_deleted AFTER DELETE ON message
        WHEN OLD.read = 0 OR OLD.delivery IN ('queued', 'waiting') BEGIN
        UPDATE conversation SET
            unread = unread - (OLD.direction = 'in' AND OLD.read = 0),
            waiting = waiting - ifnull(OLD.delivery IN ('queued', 'waiting'), 0)
        WHERE contact_id = OLD.contact_id;
    END""",
    """CREATE TRIGGER message_to_scrub AFTER DELETE ON message
        WHEN (SELECT scrub FROM profile) = 0 BEGIN
        UPDATE profile SET scrub = 1;
    END""",
    # The envelope comes last: the small columns are read without its overflow pages.
    """CREATE TABLE outbox (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        contact_id INTEGER NOT NULL REFERENCES contact ON DELETE CASCADE,
        created_ms INTEGER NOT NULL,
        appended_ms INTEGER,
        once INTEGER NOT NULL,
        request INTEGER NOT NULL,
        due INTEGER NOT NULL,
        envelope BLOB NOT NULL
    ) STRICT""",
    "CREATE INDEX outbox_contact ON outbox (contact_id, id)",
    "CREATE INDEX outbox_due ON outbox (contact_id, id) WHERE due = 1",
    # What comes again after the retention period, and what is given up after 14 days.
    "CREATE INDEX outbox_appended ON outbox (appended_ms) WHERE due = 0",
    "CREATE INDEX outbox_created ON outbox (created_ms)",
    # One id may ride in many envelopes (announcements), so an acknowledgement finds them by id.
    """CREATE TABLE outbox_content (
        contact_id INTEGER NOT NULL,
        content_id BLOB NOT NULL,
        outbox_id INTEGER NOT NULL REFERENCES outbox ON DELETE CASCADE,
        PRIMARY KEY (contact_id, content_id, outbox_id)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX outbox_content_entry ON outbox_content (outbox_id)",
    """CREATE TABLE ack (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        contact_id INTEGER NOT NULL REFERENCES contact ON DELETE CASCADE,
        content_id BLOB NOT NULL,
        UNIQUE (contact_id, content_id)
    ) STRICT""",
    """CREATE TABLE announcement (
        contact_id INTEGER NOT NULL REFERENCES contact ON DELETE CASCADE,
        kind TEXT NOT NULL,
        content_id BLOB NOT NULL,
        content BLOB NOT NULL,
        PRIMARY KEY (contact_id, kind)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE invite (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        state TEXT NOT NULL,
        created_ms INTEGER NOT NULL,
        expires_ms INTEGER NOT NULL,
        link TEXT NOT NULL,
        bundle_hash BLOB NOT NULL UNIQUE,
        secret BLOB NOT NULL,
        blob BLOB NOT NULL,
        blob_id BLOB NOT NULL,
        delete_token BLOB NOT NULL,
        relay TEXT NOT NULL,
        published INTEGER NOT NULL,
        blob_deleted INTEGER NOT NULL
    ) STRICT""",
    # `position` is the order of creation.
    """CREATE TABLE mailbox (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        id BLOB NOT NULL UNIQUE,
        relay TEXT NOT NULL,
        receive_token BLOB NOT NULL,
        send_token BLOB NOT NULL,
        state TEXT NOT NULL,
        contact_id INTEGER REFERENCES contact ON DELETE SET NULL,
        invite_id INTEGER,
        ticket BLOB NOT NULL
    ) STRICT""",
    "CREATE INDEX mailbox_contact ON mailbox (contact_id)",
    # No reference to contact: an envelope stays known when its contact is gone.
    """CREATE TABLE seen (
        digest BLOB PRIMARY KEY,
        contact_id INTEGER NOT NULL,
        content_ids BLOB NOT NULL,
        day INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX seen_day ON seen (day)",
    "CREATE INDEX seen_contact ON seen (contact_id) WHERE contact_id <> 0",
    "CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
)

_VERSION_2 = ("ALTER TABLE mailbox ADD COLUMN left_ms INTEGER",)

_VERSION_3 = (
    "ALTER TABLE contact ADD COLUMN copy_suspected INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE mailbox ADD COLUMN renewal BLOB NOT NULL DEFAULT x''",
)

_VERSION_5 = (
    # Which lines were deleted: the place of every other line follows without counting.
    """CREATE TABLE gap (
        contact_id INTEGER NOT NULL REFERENCES contact ON DELETE CASCADE,
        first_seq INTEGER NOT NULL,
        last_seq INTEGER NOT NULL,
        PRIMARY KEY (contact_id, first_seq)
    ) STRICT, WITHOUT ROWID""",
    *search.INDEX,
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    _VERSION_1,
    _VERSION_2,
    _VERSION_3,
    search.TABLE,
    _VERSION_5,
)
"""Statements that lead from version n to n + 1."""


async def version_of(database: Database) -> int:
    """Return a database's version; 0 when it holds nothing of ours."""
    return int((await database.all("PRAGMA user_version"))[0][0])


async def create(database: Database, vault_id: bytes) -> None:
    """Make all tables in an empty database, in one transaction."""
    await _migrate(database, 0, vault_id)


async def migrate(database: Database, vault_id: bytes) -> None:
    """Bring an older database up to date, each version in one transaction.

    Raises:
        ProfileError: It is newer than this program, is none of ours, or has another vault.
    """
    version = await version_of(database)
    if version > len(MIGRATIONS):
        raise ProfileError(problems.NEWER)
    if version < 1:
        raise problems.ForeignDatabase
    if await database.all("SELECT vault_id FROM profile") != [(vault_id,)]:
        raise ProfileError(problems.NOT_TOGETHER)
    await _migrate(database, version, None)


async def _migrate(database: Database, version: int, vault_id: bytes | None) -> None:
    for number, statements in enumerate(MIGRATIONS[version:], start=version + 1):
        try:
            await database.all("BEGIN IMMEDIATE")
            for statement in statements:
                await database.all(statement)
            if vault_id is not None and number == 1:
                await database.all("INSERT INTO profile (id, vault_id) VALUES (1, ?)", (vault_id,))
            await database.all(f"PRAGMA user_version = {number}")
            await database.commit()
        except BaseException:
            await database.rollback()
            raise
