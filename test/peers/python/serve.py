"""A server of the official Python SDK: `serve.py` on stdio, `serve.py <port>` on Streamable HTTP. It traces itself."""

import sys

import telemetry
from mcp.server.mcpserver import MCPServer

provider = telemetry.start("python-server")
server = MCPServer("python-server")


@server.tool()
def echo(text: str) -> str:
    return text


@server.tool()
def boom() -> str:
    raise RuntimeError("boom went off")


if len(sys.argv) > 1:
    server.run("streamable-http", port=int(sys.argv[1]))
else:
    server.run()
provider.shutdown()
