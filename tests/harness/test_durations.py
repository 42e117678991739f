"""Tables out of pytest's results."""

from tests.durations import read, tables

RESULTS = """<testsuites><testsuite>
<testcase classname="tests.unit.ops.test_logs" name="test_a" time="1.5"/>
<testcase classname="tests.unit.ops.test_logs.TestOfAClass" name="test_b[x.y]" time="10"/>
<testcase classname="tests.integration.test_relay" name="test_c" time="20"/>
</testsuite></testsuites>"""


def test_seconds_are_summed_by_folder_and_by_file() -> None:
    lines = list(tables(read(RESULTS)))
    assert "| `tests/unit/ops` | 2 | 12 |" in lines
    assert "| all | 3 | 32 |" in lines
    assert "| 20 | `integration/test_relay.py::test_c` |" in lines
    assert lines[-3:] == [
        '    "tests/integration/test_relay.py": 20,', '    "tests/unit/ops/test_logs.py": 12,', "}"
    ]  # fmt: skip
