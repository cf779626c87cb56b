"""The client of the official Python SDK: `call.py <mode> <url>` or `call.py <mode> -- <command> [args]`.

Calls three tools and prints what came back as JSON. It traces itself, and the SDK passes its context on.
"""

import asyncio
import json
import sys

import telemetry
from mcp import Client, MCPError, StdioServerParameters


async def main(mode: str, target: list[str]) -> None:
    server = target[0]
    if server == "--":
        server = StdioServerParameters(command=target[1], args=target[2:], env=dict(__import__("os").environ))
    answers = []
    async with Client(server, mode=mode) as client:
        answers.append(sorted(tool.name for tool in (await client.list_tools()).tools))
        for name, arguments in [("echo", {"text": "grüße 🙂"}), ("boom", {}), ("no_such_tool", {})]:
            try:
                result = await client.call_tool(name, arguments)
                answers.append({"isError": result.is_error, "text": result.content[0].text})
            except MCPError as error:
                answers.append({"code": error.error.code})
    print(json.dumps(answers))


provider = telemetry.start("python-client")
asyncio.run(main(sys.argv[1], sys.argv[2:]))
provider.shutdown()
