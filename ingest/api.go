package ingest

import "zhiban/schemas"

// The HTTP contract that station software and scripts rely on.
const (
	// EventsPath takes events by POST.
	EventsPath = "/api/v1/events"
	// EventTypesPath lists the catalogue.
	EventTypesPath = "/api/v1/event-types"

	// EventMediaType is the content type of one event, BatchMediaType of an
	// array of events.
	EventMediaType = "application/cloudevents+json"
	BatchMediaType = "application/cloudevents-batch+json"

	// MaxBatchEvents and MaxBatchBytes bound one request.
	MaxBatchEvents = 1000
	MaxBatchBytes  = 4 << 20
)

// Status is what became of an event.
type Status string

// Accepted means: written by all in-sync replicas. Rejected means that the
// event is wrong, or, when the result says retry, that the log did not
// acknowledge it.
const (
	Accepted Status = "accepted"
	Rejected Status = "rejected"
)

// Result is the answer to one event.
type Result struct {
	ID     string               `json:"id"` // as it was sent
	Status Status               `json:"status"`
	Retry  bool                 `json:"retry,omitempty"` // rejected for the moment only: send it again
	Errors []schemas.FieldError `json:"errors,omitempty"`
}

// problem is the body of an answer to a request that was refused as a whole
// (RFC 9457).
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}
