"""The description of the API against the server that it describes: everything that is in
one is in the other, and answers are what the description says."""

import json
import re
from urllib.parse import quote

import jsonschema
import pytest
from server import TOP, until

SOURCE = json.loads((TOP / "src/app/openapi.json").read_text())
METHODS = ("get", "post", "put", "patch", "delete")
OPERATIONS = [(m, p) for p, item in SOURCE["paths"].items() for m in item if m in METHODS]

# Further questions to what is asked without parameters, and a body, each in turn.
QUERIES = {
    "/api/v1/history": [
        "range=3600", "range=60&ids=mem.total", "range=86400&step=900&format=csv&ids=mem.total",
        "range=0", "format=xml",
    ],
    "/api/v1/events": ["since=0", "limit=1&level=warn", "level=loud"],
}  # fmt: skip

# A row of a route table: {"/path", HTTP_GET | HTTP_POST, ROLE_X, handler...}
ROW = re.compile(r'^\s*\{\s*"(/[^"]*)",\s*((?:HTTPD?_\w+\s*\|?\s*)+),\s*ROLE_\w+', re.M)


def rows():
    """The routes of the program, from its tables."""
    for source in sorted((TOP / "src/app").glob("routes*.c")):
        for path, methods in ROW.findall(source.read_text()):
            for method in re.findall(r"HTTP_(\w+)", methods):
                yield method.lower(), path


@pytest.fixture(scope="module")
def ready(board):
    until(lambda: board.http("/readyz").status == 200)
    return board


def deref(node):
    while "$ref" in node:
        at = SOURCE
        for part in node["$ref"].removeprefix("#/").split("/"):
            at = at[part]
        node = at
    return node


def check(schema, value):
    """The schema with the document's components beside it, so that references are found."""
    whole = {**schema, "components": SOURCE["components"]}
    jsonschema.Draft202012Validator.check_schema(whole)
    jsonschema.Draft202012Validator(whole).validate(value)


def refs(node):
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        node = list(node.values())
    for inner in node if isinstance(node, list) else ():
        yield from refs(inner)


def test_it_is_served_as_it_is_written(ready):
    r = ready.http("/api/v1/openapi.json")
    assert r.status == 200 and r["content-type"] == "application/json"
    assert json.loads(r.body) == SOURCE
    assert len(r.body) < len((TOP / "src/app/openapi.json").read_bytes())


def test_it_is_openapi():
    assert re.fullmatch(r"3\.1\.\d+", SOURCE["openapi"])
    assert SOURCE["info"]["title"] and SOURCE["info"]["version"]
    for ref in refs(SOURCE):
        assert deref({"$ref": ref})
    for schema in SOURCE["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    for method, path in OPERATIONS:
        operation = SOURCE["paths"][path][method]
        assert operation["summary"] and operation["responses"], (method, path)
        named = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
        assert named == set(re.findall(r"\{(\w+)\}", path)), "each part of the path is told"


def test_every_route_is_described_and_the_other_way_round():
    ours = set(rows())
    assert ("get", "/api/v1/info") in ours and ("get", "/ws") in ours, "the tables are read"
    described = {(m, re.sub(r"\{\w+\}", "*", p)) for m, p in OPERATIONS}
    assert ours - described == set(), "a route without a description: src/app/openapi.json"
    assert described - ours == set(), "a description without a route"


def answer_to(server, method, path, query, body):
    target = re.sub(r"\{\w+\}", "0", path) + ("?" + quote(query, "=&,") if query else "")
    how = {}
    if method in ("post", "put", "patch"):
        how = {"body": body, "headers": [("Content-Type", "application/json")]}
    return server.http(target, method.upper(), **how)


def judge(method, path, r):
    """The status is described, and so are type and body."""
    responses = SOURCE["paths"][path][method]["responses"]
    described = str(r.status) in responses or (
        "default" in responses and r.status >= 400 and r.status != 404
    )
    assert described, f"{method} {path}: {r.status} is not described"
    content = deref(responses.get(str(r.status), responses.get("default"))).get("content")
    if not content:
        assert r.body == b""
        return
    kind = r["content-type"].split(";")[0]
    assert kind in content, f"{method} {path}: {r.status} as {kind}"
    if "schema" in content[kind]:
        body = r.body.decode()
        check(content[kind]["schema"], json.loads(body) if kind.endswith("json") else body)


@pytest.mark.parametrize("method, path", OPERATIONS, ids=lambda v: v)
def test_answers_are_as_described(ready, method, path):
    """Asked plainly, and with every query above; whoever changes something is asked with
    nonsense, which every board must refuse in the way that is described."""
    ready.allow("event=.*")
    seen = set()
    for query in ["", *QUERIES.get(path, [])]:
        for body in (b"{}", b"nonsense") if method != "get" else (b"",):
            r = answer_to(ready, method, path, query, body)
            assert r.status != 405, "there is such a route"
            judge(method, path, r)
            seen.add(r.status)
    if method == "get" and path in QUERIES:
        assert seen == {200, 400}, "both were met"


def test_other_methods_are_refused(ready):
    for path, item in SOURCE["paths"].items():
        if "{" in path:
            continue
        for method in set(METHODS) - set(item):
            r = answer_to(ready, method, path, "", b"{}")
            assert r.status in (405, 401, 403), (method, path, r)
