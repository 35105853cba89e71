package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"

	"zhiban/schemas"
	"zhiban/schemas/access"
)

// Client sends events to an ingest server. It may be used by several
// goroutines at once.
type Client struct {
	// URL is the server's address without a path, for example
	// http://127.0.0.1:8080.
	URL string
	// HTTP sends the requests; nil: http.DefaultClient.
	HTTP *http.Client
	// Token shows who sends. Without it requests are made in the name of whose the
	// context is, see [access.Forward]; then URL has to be of this platform.
	Token string
	// Patience is how long one batch is tried again while the server is busy,
	// away or without its log; zero: one minute.
	Patience time.Duration
	// OnRetry hears why a batch is sent again and after which pause; nil: nobody
	// does.
	OnRetry func(cause error, pause time.Duration)
}

// Send sends events in order and returns what became of each, in the same
// order. Events go in batches within the server's limits; a batch that the
// server could not take for the moment (429, 502, 503, 504, no connection) is
// sent again after a pause, the one the server asked for when it did. Sending an event
// again is harmless, for its id is its identity.
//
// An event that is rejected for good is a [Result], not an error. The error
// says that the server cannot be used: it stayed away beyond the client's
// patience, or refused the whole request. The results that come with an error
// are those of the events before it.
func (c *Client) Send(ctx context.Context, events []schemas.Envelope) ([]Result, error) {
	results := make([]Result, 0, len(events))
	for len(events) > 0 {
		b, err := cutBatch(events)
		if err != nil {
			return results, fmt.Errorf("send event %s: %w", events[0].ID, err)
		}
		rs, err := c.sendBatch(ctx, b)
		if err != nil {
			return results, fmt.Errorf("send %d events to %s: %w", len(b), c.URL, err)
		}
		results = append(results, rs...)
		events = events[len(b):]
	}
	return results, nil
}

// Append sends events that must all be taken: one that is rejected is an error.
func (c *Client) Append(ctx context.Context, events []schemas.Envelope) error {
	results, err := c.Send(ctx, events)
	for _, r := range results {
		if r.Status != Accepted {
			err = errors.Join(err, fmt.Errorf("event %s was rejected: %v", r.ID, r.Errors))
		}
	}
	return err
}

// cutBatch encodes as many events as one request may carry; at least one.
func cutBatch(events []schemas.Envelope) ([][]byte, error) {
	var out [][]byte
	size := len("[]")
	for _, e := range events[:min(len(events), MaxBatchEvents)] {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(e); err != nil {
			return nil, err
		}
		size += b.Len() // with its line feed, for which a comma will stand
		if size > MaxBatchBytes && len(out) > 0 {
			break
		}
		out = append(out, bytes.TrimSpace(b.Bytes()))
	}
	return out, nil
}

// sendBatch sends a batch until each of its events is accepted or rejected for
// good.
func (c *Client) sendBatch(ctx context.Context, events [][]byte) ([]Result, error) {
	results := make([]Result, len(events))
	open := make([]int, len(events)) // places of the events that are not settled
	for i := range open {
		open[i] = i
	}
	patience := c.Patience
	if patience == 0 {
		patience = time.Minute
	}
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		batch := make([][]byte, len(open))
		for i, place := range open {
			batch[i] = events[place]
		}
		answer, err := c.post(ctx, batch)
		if err != nil {
			return struct{}{}, err
		}
		var again []int
		var hint string
		for i, r := range answer.Results {
			results[open[i]] = r
			if r.Retry {
				again = append(again, open[i])
				hint = r.Errors[0].Message
			}
		}
		open = again
		if len(open) > 0 {
			return struct{}{}, answer.retryAfter(fmt.Errorf("%d of %d events were not accepted: %s", len(open), len(batch), hint))
		}
		return struct{}{}, nil
	}, backoff.WithMaxElapsedTime(patience), backoff.WithNotify(c.OnRetry))
	return results, err
}

// answer is the server's answer to a batch.
type answer struct {
	Results []Result `json:"results"`
	pause   int      // seconds the server asked to wait, or 0
}

// retryAfter makes err one that is tried again after the pause the server
// asked for.
func (a answer) retryAfter(err error) error {
	if a.pause == 0 {
		return err
	}
	return errors.Join(err, backoff.RetryAfter(a.pause))
}

// post sends one request. An error that is not permanent may be tried again.
func (c *Client) post(ctx context.Context, events [][]byte) (answer, error) {
	body := slices.Concat([]byte("["), bytes.Join(events, []byte(",")), []byte("]"))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(c.URL, "/")+EventsPath, bytes.NewReader(body))
	if err != nil {
		return answer{}, backoff.Permanent(err)
	}
	req.Header.Set("Content-Type", BatchMediaType)
	c.authorize(req)
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return answer{}, fmt.Errorf("read the answer: %w", err)
	}
	var a answer
	a.pause, _ = strconv.Atoi(resp.Header.Get("Retry-After"))
	switch resp.StatusCode {
	case http.StatusAccepted, http.StatusUnprocessableEntity, http.StatusServiceUnavailable:
		if json.Unmarshal(text, &a) == nil && len(a.Results) == len(events) {
			return a, nil
		}
	}
	err = refused(resp, text)
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return answer{}, a.retryAfter(err)
	}
	return answer{}, backoff.Permanent(err)
}

// authorize says in whose name a request is made.
func (c *Client) authorize(req *http.Request) {
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
		return
	}
	access.Forward(req.Context(), req)
}

// refused is what an answer to a request as a whole says, of a kind where another
// token would help.
func refused(resp *http.Response, body []byte) error {
	detail := problemDetail(body)
	switch resp.StatusCode {
	case http.StatusUnauthorized:
		return schemas.Errorf(schemas.Unauthenticated, "the server asks for a token: give --token or ZHIBAN_TOKEN (%s)", detail)
	case http.StatusForbidden:
		return schemas.Errorf(schemas.Forbidden, "the server does not let this account do that: give another --token or ZHIBAN_TOKEN (%s)", detail)
	}
	return fmt.Errorf("the server answers %s: %s", resp.Status, detail)
}

// problemDetail takes the sentence for people out of an error answer.
func problemDetail(body []byte) string {
	var p problem
	if json.Unmarshal(body, &p) == nil && p.Detail != "" {
		return p.Detail
	}
	return strings.TrimSpace(string(body[:min(len(body), 200)]))
}
