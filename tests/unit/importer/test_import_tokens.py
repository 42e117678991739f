"""An import sends a token, renews it, waits for its issuer, and says in one line why it got none."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from joserfc import jwt

from shared.access.client_tokens import BearerAuth, ClientCredentials, GivenToken, NoToken
from shared.ops.secret import Secret
from tests.local_issuer import LocalIssuer, local_issuer
from tests.unit.importer.batch_stand_in import BatchStandIn
from tests.unit.importer.import_runs import imported

NOW = 1_800_000_000.0


@pytest.fixture
def issuer(tmp_path: Path) -> Iterator[LocalIssuer]:
    with local_issuer(tmp_path / "issuer", NOW) as issuer:
        yield issuer


@pytest.fixture
def client(issuer: LocalIssuer, monkeypatch: pytest.MonkeyPatch) -> str:
    """The importer's own client, in the environment; gives its secret."""
    monkeypatch.setenv("AUTH_ISSUER", issuer.url)
    monkeypatch.setenv("CLIENT_ID", "importer")
    monkeypatch.setenv("CLIENT_SECRET", issuer.secret("importer"))
    return issuer.secret("importer")


class Door:
    """Lets in who has a token of the issuer that has not expired; `meanwhile` happens before each look."""

    def __init__(self, issuer: LocalIssuer, meanwhile: Callable[[int], None] = lambda number: None) -> None:
        self.issuer = issuer
        self.key = issuer.server.maker.key
        self.meanwhile = meanwhile
        self.looks: list[tuple[str, bool]] = []

    def __call__(self, authorization: str) -> bool:
        self.meanwhile(len(self.looks) + 1)
        scheme, _, token = authorization.partition(" ")
        is_good = scheme == "Bearer" and self.issuer.now < jwt.decode(token, self.key).claims["exp"]
        self.looks.append((token, is_good))
        return is_good


def test_a_token_that_expires_in_the_middle_is_renewed_and_nothing_is_lost(
    api: BatchStandIn, shop: Path, issuer: LocalIssuer, client: str
) -> None:
    def half_an_hour_passes(number: int) -> None:
        issuer.now += 1_900

    api.lets_in = door = Door(issuer, half_an_hour_passes)
    assert imported(shop, "--url", api.url) == 0
    assert len(api.products) == 8
    refused = [number for number, (_, is_good) in enumerate(door.looks) if not is_good]
    assert refused, "no token has expired: the test is too short"
    for number in refused:
        assert door.looks[number + 1][1]
        assert door.looks[number + 1][0] != door.looks[number][0]


def test_an_issuer_that_is_away_for_a_while_delays_the_import(
    api: BatchStandIn, shop: Path, issuer: LocalIssuer, client: str
) -> None:
    def away_after_the_first(number: int) -> None:
        if number == 2:
            issuer.now += 4_000
            issuer.stop()
        if number == 4:
            issuer.start()

    api.lets_in = door = Door(issuer, away_after_the_first)
    assert imported(shop, "--url", api.url) == 0
    assert len(api.products) == 8
    assert [is_good for _, is_good in door.looks][:5] == [True, False, False, False, True]


def test_wrong_credentials_are_one_clear_line_without_the_secret(
    api: BatchStandIn, shop: Path, issuer: LocalIssuer, client: str,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("CLIENT_SECRET", "not-the-secret")
    assert imported(shop, "--url", api.url) == 1
    told = capsys.readouterr()
    assert told.err.splitlines() == [
        f"import failed: the issuer at {issuer.url}/token gives no token: 401, wrong client id or secret"
    ]
    assert api.requests == []


def test_a_secret_is_read_from_a_file(
    api: BatchStandIn, shop: Path, issuer: LocalIssuer, client: str,
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:  # fmt: skip
    (tmp_path / "secret").write_text(f"{client}\n")
    monkeypatch.delenv("CLIENT_SECRET")
    monkeypatch.setenv("CLIENT_SECRET_FILE", str(tmp_path / "secret"))
    api.lets_in = Door(issuer)
    assert imported(shop, "--url", api.url) == 0


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"CLIENT_SECRET": ""}, "no secret"),
        ({"AUTH_ISSUER": ""}, "neither AUTH_ISSUER nor AUTH_TOKEN_URL"),
        ({"AUTH_ISSUER": "http://issuer.example"}, "https address only"),
        ({"AUTH_ISSUER": "http://127.0.0.1:1"}, "is it running?"),
    ],
)
def test_a_client_without_all_it_needs_sends_nothing(
    api: BatchStandIn, shop: Path, client: str, changes: dict[str, str], line: str,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    for name, value in changes.items():
        monkeypatch.setenv(name, value)
    assert imported(shop, "--url", api.url) == 1
    told = capsys.readouterr().err
    assert line in told
    assert told.count("\n") == 1
    assert api.requests == []


def test_a_token_file_is_sent_and_read_again_when_it_is_replaced(
    api: BatchStandIn, shop: Path, issuer: LocalIssuer, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    maker = issuer.server.maker
    file.write_text(maker.token("importer", (), 3600) + "\n")

    def replaced(number: int) -> None:
        if number == 2:
            issuer.now += 4_000
            file.write_text(maker.token("importer", (), 3600))

    api.lets_in = door = Door(issuer, replaced)
    assert imported(shop, "--url", api.url, "--token-file", file) == 0
    assert [is_good for _, is_good in door.looks][:3] == [True, False, True]


@pytest.mark.parametrize("content", [b"two words", b"line\nline", b"x" * 40_000, "é".encode()])
def test_a_file_without_a_token_fails_at_once(
    api: BatchStandIn, shop: Path, tmp_path: Path, content: bytes,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    (tmp_path / "token").write_bytes(content)
    monkeypatch.setenv("CATALOGUE_TOKEN_FILE", str(tmp_path / "token"))
    assert imported(shop, "--url", api.url) == 1
    assert capsys.readouterr().err == "import failed: what is configured as the access token is not one\n"
    assert api.requests == []


def test_a_secret_or_token_whose_file_cannot_be_read_is_wrong_usage(
    api: BatchStandIn, shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("CATALOGUE_TOKEN_FILE", "CLIENT_SECRET_FILE"):
        monkeypatch.setenv(name, "/nowhere")
        with pytest.raises(SystemExit, match="2"):
            imported(shop, "--url", api.url)
        assert f"{name}: the file /nowhere cannot be read" in capsys.readouterr().err
        monkeypatch.delenv(name)
    with pytest.raises(SystemExit, match="2"):
        imported(shop, "--url", api.url, "--token-file", "/nowhere")
    assert "the file /nowhere cannot be read" in capsys.readouterr().err


def test_a_token_that_is_refused_again_after_its_renewal_fails_the_import(
    api: BatchStandIn, shop: Path, issuer: LocalIssuer, client: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sent: list[str] = []

    def no(authorization: str) -> bool:
        sent.append(authorization)
        return False

    api.lets_in = no
    assert imported(shop, "--url", api.url) == 1
    assert len(set(sent)) == len(sent) == 2
    told = capsys.readouterr().err
    assert "401 Unauthorized: invalid-token: the token has expired" in told
    assert "no token was sent" not in told


def test_an_api_that_wants_a_token_says_how_to_give_one(
    api: BatchStandIn, shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    api.lets_in = bool
    assert imported(shop, "--url", api.url) == 1
    assert "no token was sent: give --token-file" in capsys.readouterr().err


async def test_a_token_is_renewed_before_it_expires(issuer: LocalIssuer) -> None:
    seconds = 0.0
    async with httpx.AsyncClient(timeout=30) as http:
        secret = Secret(issuer.secret("importer"))
        source = ClientCredentials(issuer.url, "", "importer", secret, http, lambda: seconds)
        first = await source.token()
        seconds = 3_539.0
        assert await source.token() == first
        seconds = 3_541.0
        second = await source.token()
        assert second != first
        assert await source.renewed(first) == second
        assert await source.renewed(second) not in (first, second)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json={}),
        httpx.Response(200, json=[]),
        httpx.Response(200, content=b"<html>"),
        httpx.Response(200, json={"access_token": "x", "token_type": "mac"}),
        httpx.Response(302, headers={"location": "https://elsewhere.example"}),
    ],
)
async def test_an_answer_that_is_no_bearer_token_is_refused(answer: httpx.Response) -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda request: answer)) as http:
        source = ClientCredentials("", "https://issuer.example/token", "a", Secret("b"), http)
        with pytest.raises(NoToken, match="issuer"):
            await source.token()


async def test_a_secret_is_not_sent_where_the_discovery_document_leads_over_plain_http() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        document = {"issuer": "https://issuer.example", "token_endpoint": "http://issuer.example/token"}
        return httpx.Response(200, json=document)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        source = ClientCredentials("https://issuer.example", "", "a", Secret("b"), http)
        for _ in range(2):
            with pytest.raises(NoToken, match="https address only"):
                await source.token()
    assert set(asked) == {"https://issuer.example/.well-known/openid-configuration"}


async def test_the_token_of_a_file_that_did_not_change_is_not_sent_again(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("abc")
    asked: list[str] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["authorization"])
        return httpx.Response(401)

    async with httpx.AsyncClient(
        transport=httpx.MockTransport(refuse), auth=BearerAuth(GivenToken(Secret.from_file(file)))
    ) as http:
        assert (await http.get("http://api.example")).status_code == 401
    assert asked == ["Bearer abc"]
