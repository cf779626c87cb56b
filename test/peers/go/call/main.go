// The client of the official Go SDK: `call <traceparent> <url>` or `call <traceparent> -- <command> [args]`. Calls three
// tools with the given trace context and prints what came back as JSON.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"
	"os/exec"
	"sort"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func main() {
	traceparent, target := os.Args[1], os.Args[2:]
	var transport mcp.Transport = &mcp.StreamableClientTransport{Endpoint: target[0], DisableStandaloneSSE: true}
	if target[0] == "--" {
		command := exec.Command(target[1], target[2:]...)
		command.Stderr = os.Stderr
		transport = &mcp.CommandTransport{Command: command}
	}
	ctx := context.Background()
	client := mcp.NewClient(&mcp.Implementation{Name: "go-client", Version: "1"}, nil)
	session, err := client.Connect(ctx, transport, nil)
	if err != nil {
		log.Fatal(err)
	}
	tools, err := session.ListTools(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	names := []string{}
	for _, tool := range tools.Tools {
		names = append(names, tool.Name)
	}
	sort.Strings(names)
	answers := []any{names}
	for _, call := range []struct {
		name string
		args map[string]any
	}{{"echo", map[string]any{"text": "grüße 🙂"}}, {"boom", map[string]any{}}, {"no_such_tool", map[string]any{}}} {
		result, err := session.CallTool(ctx, &mcp.CallToolParams{
			Meta: mcp.Meta{"traceparent": traceparent}, Name: call.name, Arguments: call.args,
		})
		if err != nil {
			answers = append(answers, map[string]any{"error": err.Error()})
			continue
		}
		text := result.Content[0].(*mcp.TextContent).Text
		answers = append(answers, map[string]any{"isError": result.IsError, "text": text})
	}
	if err := session.Close(); err != nil {
		log.Print(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		log.Fatal(err)
	}
}
