package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"zhiban/schemas"
)

// knownPath is where a platform tells which events count, and how; the
// dashboard serves it.
const knownPath = "/api/v1/effective-events"

// Known asks a platform which of these events it holds, and returns them by id as
// they count now. An address that serves ingest alone knows none: then everything
// is sent, and counts once all the same.
func (c *Client) Known(ctx context.Context, ids []string) (map[string]schemas.Envelope, error) {
	known := map[string]schemas.Envelope{}
	for part := range slices.Chunk(ids, MaxBatchEvents) {
		body, err := json.Marshal(map[string][]string{"ids": part})
		if err != nil {
			return nil, err
		}
		var answer struct {
			Events []schemas.Envelope `json:"events"`
		}
		there, err := c.ask(ctx, http.MethodPost, knownPath, body, &answer)
		if err != nil || !there {
			return nil, err
		}
		for _, e := range answer.Events {
			known[e.ID] = e
		}
	}
	return known, nil
}

// Held asks a platform which events of a source and a kind of case count that
// happened on the days from to to. An address that serves ingest alone knows none.
func (c *Client) Held(ctx context.Context, source schemas.Source, kind schemas.CaseKind, from, to schemas.Day) ([]schemas.Envelope, error) {
	query := url.Values{"source": {source.Key()}, "case": {string(kind)}, "from": {from.String()}, "to": {to.String()}}
	var answer struct {
		Events []schemas.Envelope `json:"events"`
	}
	_, err := c.ask(ctx, http.MethodGet, knownPath+"?"+query.Encode(), nil, &answer)
	return answer.Events, err
}

// ask sends a question and reads the answer; there is false when nobody answers
// it at that address.
func (c *Client) ask(ctx context.Context, method, path string, body []byte, answer any) (there bool, err error) {
	address := strings.TrimRight(c.URL, "/") + path
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	c.authorize(req)
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	res, err := client.Do(req)
	if err != nil {
		return false, fmt.Errorf("ask what the platform holds: %w", err)
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return false, nil
	default:
		text, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10))
		return false, fmt.Errorf("%s %s: %w", method, address, refused(res, text))
	}
	if err := json.NewDecoder(res.Body).Decode(answer); err != nil {
		return false, fmt.Errorf("%s %s: %w", method, address, err)
	}
	return true, nil
}
