"""Old code runs on the new schema: between the migrations and the deploy, and as long as a deploy takes."""

from pathlib import Path

import pytest

from tests.last_release.release import (
    ACCEPTANCE_TESTS,
    MIGRATIONS,
    STATEMENTS_TEST,
    NoHistory,
    bring_migrations,
    check_out,
    run_before_deploy,
    run_tests,
)

_SHOWN_CHARACTERS = 20_000


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """The last release with the present migrations."""
    try:
        check_out(tmp_path)
    except NoHistory as error:
        pytest.skip(str(error))
    bring_migrations(tmp_path)
    return tmp_path


@pytest.mark.prove
@pytest.mark.servers
def test_the_acceptance_tests_of_the_last_release_pass_on_the_present_schema(release: Path) -> None:
    answer = run_tests(release, ACCEPTANCE_TESTS)
    assert answer.returncode == 0, answer.stdout[-_SHOWN_CHARACTERS:]


BREAKING = {
    "event store": (
        MIGRATIONS[0],
        "ALTER TABLE catalogue.streams RENAME COLUMN last_position TO newest_position;",
    ),
    "read model": (MIGRATIONS[1], "ALTER TABLE views.product_view RENAME COLUMN slug TO handle;"),
}


@pytest.mark.prove
@pytest.mark.servers
def test_a_migration_that_breaks_the_last_release_is_noticed(release: Path) -> None:
    for folder, sql in BREAKING.values():
        number = len(list((release / folder).glob("*.sql"))) + 1
        (release / folder / f"{number:04}_before_deploy_breaking.sql").write_text(
            f"-- Breaks old code.\n{sql}\n"
        )
    answer = run_tests(release, [STATEMENTS_TEST])
    assert answer.returncode == 1, answer.stdout[-_SHOWN_CHARACTERS:]
    # Without folders: they may be others in the next release.
    for statement in ("load_streams", "upsert_products", "select_product_by_slug"):
        assert f"/{statement}.sql: UndefinedColumnError" in answer.stdout


def test_migrations_after_the_deploy_are_not_what_old_code_meets() -> None:
    assert run_before_deploy({"0009_after_deploy_b.sql", "0008_before_deploy_a.sql"}) == [
        "0008_before_deploy_a.sql"
    ]
    with pytest.raises(AssertionError, match="a release must come before"):
        run_before_deploy({"0008_after_deploy_a.sql", "0009_before_deploy_b.sql"})


def test_a_released_migration_that_was_edited_is_noticed(tmp_path: Path) -> None:
    released, present = tmp_path / "released", tmp_path / "present"
    for folder in MIGRATIONS:
        for root, text in ((released, "SELECT 1;"), (present, "SELECT 2;")):
            (root / folder).mkdir(parents=True)
            (root / folder / "0001_before_deploy_first.sql").write_text(text)
    with pytest.raises(AssertionError, match="released migrations were edited"):
        bring_migrations(released, present)
