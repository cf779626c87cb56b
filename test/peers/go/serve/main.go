// A server of the official Go SDK: `serve` on stdio, `serve <port>` on Streamable HTTP. Its tool `seen` answers with the
// trace context that came in `_meta`.
package main

import (
	"context"
	"errors"
	"log"
	"net/http"
	"os"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

type echoArgs struct {
	Text string `json:"text"`
}

func text(value string) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: value}}}
}

func main() {
	server := mcp.NewServer(&mcp.Implementation{Name: "go-server", Version: "1"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "echo"},
		func(_ context.Context, _ *mcp.CallToolRequest, args echoArgs) (*mcp.CallToolResult, any, error) {
			return text(args.Text), nil, nil
		})
	mcp.AddTool(server, &mcp.Tool{Name: "boom"},
		func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, any, error) {
			return nil, nil, errors.New("boom went off")
		})
	mcp.AddTool(server, &mcp.Tool{Name: "seen"},
		func(_ context.Context, request *mcp.CallToolRequest, _ struct{}) (*mcp.CallToolResult, any, error) {
			traceparent, _ := request.Params.GetMeta()["traceparent"].(string)
			return text(traceparent), nil, nil
		})
	if len(os.Args) > 1 {
		handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil)
		log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], handler))
	}
	if err := server.Run(context.Background(), &mcp.StdioTransport{}); err != nil {
		log.Print(err)
	}
}
