package ingest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"golang.org/x/sync/errgroup"

	"zhiban/schemas"
)

// Known asks a platform which of these events it holds, and returns them by id as
// they count now. An address that serves ingest alone knows none: then everything
// is sent, and counts once all the same.
func (c *Client) Known(ctx context.Context, ids []string) (map[string]schemas.Envelope, error) {
	known := make([]*schemas.Envelope, len(ids))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for i, id := range ids {
		group.Go(func() (err error) {
			known[i], err = c.known(ctx, id)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	out := map[string]schemas.Envelope{}
	for _, e := range known {
		if e != nil {
			out[e.ID] = *e
		}
	}
	return out, nil
}

// known opens one event; nil when the platform does not hold it, or it no longer
// counts.
func (c *Client) known(ctx context.Context, id string) (*schemas.Envelope, error) {
	address := strings.TrimRight(c.URL, "/") + "/api/v1/events/" + id
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask for event %s: %w", id, err)
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return nil, nil
	default:
		return nil, fmt.Errorf("GET %s: %s", address, res.Status)
	}
	var detail struct {
		Case []schemas.Envelope `json:"case"`
	}
	if err := json.NewDecoder(res.Body).Decode(&detail); err != nil {
		return nil, fmt.Errorf("GET %s: %w", address, err)
	}
	var history []schemas.Event
	for _, e := range detail.Case {
		event, err := e.Parse()
		if err != nil {
			return nil, fmt.Errorf("GET %s: %w", address, err)
		}
		history = append(history, event)
	}
	for _, e := range schemas.Effective(history) {
		if e.ID.String() == id {
			env := e.Envelope()
			return &env, nil
		}
	}
	return nil, nil
}
