package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"zhiban/schemas"
	"zhiban/schemas/access"
)

// maxEventBytes bounds one event as it is sent: twice 20000 letters of question
// and answer, each escaped, and something to spare.
const maxEventBytes = 512 << 10

// retryAfter is when senders may come back after 429 and 503, in seconds.
const retryAfter = 1

// postEvents takes one event or a batch. The rule of its answers:
//
//   - 202: at least one event was accepted, that is, written by all in-sync
//     replicas. The others are told apart by their status: wrong events and those
//     that the account may not write, and with "retry" those whose partition did
//     not acknowledge.
//   - 422: every event is wrong, or not the account's to write.
//   - 503: the log acknowledged none of the events that are right, or, without
//     results, there are no keys to seal texts with: nothing was taken.
//   - 400, 401, 413, 415, 429: the request was refused as a whole, before any event
//     was looked at (429: or before any was handed to the log).
func (s *Server) postEvents(w http.ResponseWriter, r *http.Request) {
	who := access.From(r.Context())
	if who.Account == "" {
		s.refuse(w, errNobody)
		return
	}
	if s.log.full() {
		s.refuse(w, busy())
		return
	}
	raws, err := readEvents(w, r)
	if err != nil {
		s.refuse(w, err)
		return
	}
	results := make([]Result, len(raws))
	records, places, err := s.prepare(r.Context(), who, raws, results)
	switch {
	case r.Context().Err() != nil && err != nil:
		return // nobody is there to be answered
	case err != nil:
		s.refuse(w, err)
		return
	}
	status := http.StatusUnprocessableEntity
	if len(records) > 0 {
		errs, err := s.log.append(r.Context(), records)
		switch {
		case errors.Is(err, errQueueFull):
			s.refuse(w, busy())
			return
		case r.Context().Err() != nil && err != nil:
			return // nobody is there to be answered
		}
		status = http.StatusAccepted
		if missed := s.report(results, places, errs, err); missed == len(records) {
			status = http.StatusServiceUnavailable
			w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
		}
	}
	s.answer(w, status, "application/json", map[string][]Result{"results": results})
}

// Append takes events as a post does, from within the process and in the name of
// whose ctx is: all of them, or with an error that says which is wrong or that the
// log does not answer. Sent again under the same ids they count once.
func (s *Server) Append(ctx context.Context, events []schemas.Envelope) error {
	who := access.From(ctx)
	if who.Account == "" {
		return fmt.Errorf("append events: %w", errNobody)
	}
	raws := make([]jsontext.Value, len(events))
	for i, e := range events {
		raw, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("append event %s: %w", e.ID, err)
		}
		raws[i] = raw
	}
	results := make([]Result, len(raws))
	records, _, err := s.prepare(ctx, who, raws, results)
	if err != nil {
		return fmt.Errorf("append events: %w", err)
	}
	for i, r := range results {
		if r.Status != Accepted {
			return fmt.Errorf("append event %s: %v", events[i].ID, r.Errors)
		}
	}
	errs, err := s.log.append(ctx, records)
	return errors.Join(append(errs, err)...)
}

// prepare makes records of the events that are right and that the account may
// write, with their places in results, and fills in the results. The error says
// that nothing can be taken now.
func (s *Server) prepare(ctx context.Context, who access.Identity, raws []jsontext.Value, results []Result) (records []*record, places []int, err error) {
	events := make([]schemas.Event, 0, len(raws))
	places = make([]int, 0, len(raws))
	now := s.now()
	for i, raw := range raws {
		if ev, ok := s.judge(who, now, raw, &results[i]); ok {
			events, places = append(events, ev), append(places, i)
		}
	}
	if err := protect(ctx, s.keys, events, func(i int, e schemas.FieldError) {
		results[places[i]].Status, results[places[i]].Errors = Rejected, []schemas.FieldError{e}
	}); err != nil {
		s.logger.ErrorContext(ctx, "seal texts", "error", err)
		return nil, nil, schemas.Errorf(schemas.Unavailable, "texts cannot be sealed now; nothing of this request was taken, send it again after the pause")
	}
	records = make([]*record, 0, len(events))
	taken := places[:0]
	for i, ev := range events {
		if results[places[i]].Status == Accepted {
			records, taken = append(records, newRecord(ev, who.Account)), append(taken, places[i])
		}
	}
	return records, taken, nil
}

// judge validates one event, sees whether the account may write it, and fills in
// its result.
func (s *Server) judge(who access.Identity, now time.Time, raw []byte, result *Result) (ev schemas.Event, ok bool) {
	if len(raw) > maxEventBytes {
		*result = Result{Status: Rejected, Errors: []schemas.FieldError{{
			Location: "event", Message: fmt.Sprintf("has %d bytes; at most %d are taken", len(raw), maxEventBytes)}}}
		return ev, false
	}
	env, ev, errs := schemas.Validate(raw)
	if len(errs) == 0 {
		errs = notAllowed(who, s.returns, ev, now)
	}
	if len(errs) > 0 {
		*result = Result{ID: env.ID, Status: Rejected, Errors: errs}
		return ev, false
	}
	*result = Result{ID: env.ID, Status: Accepted}
	return ev, true
}

// report marks the results of events that the log did not acknowledge and
// counts them.
func (s *Server) report(results []Result, places []int, errs []error, err error) (missed int) {
	for i, place := range places {
		if err == nil && (i >= len(errs) || errs[i] == nil) {
			continue
		}
		missed++
		results[place].Status, results[place].Retry = Rejected, true
		results[place].Errors = []schemas.FieldError{{
			Location: "event", Message: "the log did not acknowledge it; send it again with the same id, by which it counts once"}}
	}
	return missed
}

// readEvents reads the body and takes it apart, without looking into the
// events.
func readEvents(w http.ResponseWriter, r *http.Request) ([]jsontext.Value, error) {
	batch, err := isBatch(r.Header)
	if err != nil {
		return nil, err
	}
	if r.ContentLength > MaxBatchBytes {
		return nil, tooLarge("the body has %d bytes; at most %d are taken", r.ContentLength, MaxBatchBytes)
	}
	var body bytes.Buffer
	if r.ContentLength > 0 {
		body.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	if _, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, MaxBatchBytes)); err != nil {
		var limit *http.MaxBytesError
		if errors.As(err, &limit) {
			return nil, tooLarge("the body has more than %d bytes", MaxBatchBytes)
		}
		return nil, malformed("the body could not be read: %v", err)
	}
	return split(body.Bytes(), batch)
}

// isBatch reads the media type.
func isBatch(h http.Header) (bool, error) {
	if enc := h.Get("Content-Encoding"); enc != "" && enc != "identity" {
		return false, unsupported("content encoding %q is not taken; send the events as they are", enc)
	}
	given := h.Get("Content-Type")
	media, params, err := mime.ParseMediaType(given)
	if charset := params["charset"]; err != nil || charset != "" && !strings.EqualFold(charset, "utf-8") {
		media = ""
	}
	switch media {
	case BatchMediaType:
		return true, nil
	case EventMediaType:
		return false, nil
	case "application/json":
		// Taken as one event, for the sake of simple clients; but not when it is
		// the data of an event whose attributes are in the headers.
		if h.Get("Ce-Specversion") == "" && h.Get("Ce-Id") == "" {
			return false, nil
		}
		return false, unsupported("events with their attributes in HTTP headers are not taken; send %s", EventMediaType)
	}
	return false, unsupported("content type %q is not taken; send %s for one event, %s for an array of events", given, EventMediaType, BatchMediaType)
}

// split takes the body apart into events. Duplicate names and letters that are
// not UTF-8 are left to the validation of each event.
func split(body []byte, batch bool) ([]jsontext.Value, error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(body), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	kind := d.PeekKind()
	if batch && kind != '[' && kind != 0 {
		return nil, malformed("the body is not an array of events; send one event as %s", EventMediaType)
	}
	var events []jsontext.Value
	if batch && kind == '[' {
		if _, err := d.ReadToken(); err != nil {
			return nil, notJSON(err)
		}
		for d.PeekKind() != ']' {
			v, err := d.ReadValue()
			if err != nil {
				return nil, notJSON(err)
			}
			events = append(events, v)
		}
		if _, err := d.ReadToken(); err != nil {
			return nil, notJSON(err)
		}
		if len(events) > MaxBatchEvents {
			return nil, tooLarge("the batch has %d events; at most %d are taken", len(events), MaxBatchEvents)
		}
	} else {
		v, err := d.ReadValue()
		if err != nil {
			return nil, notJSON(err)
		}
		events = append(events, v)
	}
	if _, err := d.ReadToken(); err == nil {
		return nil, malformed("the body is not JSON: something follows its end")
	} else if !errors.Is(err, io.EOF) {
		return nil, notJSON(err)
	}
	return events, nil
}

// refusal is why a request was refused as a whole.
type refusal struct {
	status int
	detail string
	pause  bool // the sender may come back
}

func (r *refusal) Error() string { return r.detail }

func malformed(format string, args ...any) error {
	return &refusal{status: http.StatusBadRequest, detail: fmt.Sprintf(format, args...)}
}

func notJSON(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return malformed("the body is not JSON: it ends too early")
	}
	return malformed("the body is not JSON: %s", strings.TrimPrefix(err.Error(), "jsontext: "))
}

func tooLarge(format string, args ...any) error {
	return &refusal{status: http.StatusRequestEntityTooLarge, detail: fmt.Sprintf(format, args...) + "; split it"}
}

func unsupported(format string, args ...any) error {
	return &refusal{status: http.StatusUnsupportedMediaType, detail: fmt.Sprintf(format, args...)}
}

func busy() error {
	return &refusal{status: http.StatusTooManyRequests, detail: "too many events wait to be written; nothing of this request was taken, send it again after the pause", pause: true}
}

// refuse answers a request as a whole (RFC 9457).
func (s *Server) refuse(w http.ResponseWriter, err error) {
	var r *refusal
	switch kind := schemas.KindOf(err); {
	case errors.As(err, &r):
	case kind == schemas.Unauthenticated:
		w.Header().Set("WWW-Authenticate", `Bearer realm="zhiban"`)
		r = &refusal{status: http.StatusUnauthorized, detail: err.Error()}
	case kind == schemas.Unavailable:
		r = &refusal{status: http.StatusServiceUnavailable, detail: err.Error(), pause: true}
	default:
		s.logger.Error("take events", "error", err)
		r = &refusal{status: http.StatusInternalServerError, detail: "something went wrong here; the operator's log says what"}
	}
	if r.pause {
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
	s.answer(w, r.status, "application/problem+json", problem{http.StatusText(r.status), r.status, r.detail})
}

func (s *Server) answer(w http.ResponseWriter, status int, mediaType string, body any) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // messages say <case>/<id>
	if err := enc.Encode(body); err != nil {
		s.logger.Error("write an answer", "error", err)
		status = http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}
