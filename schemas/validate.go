package schemas

// FieldError is one thing that is wrong with an event: where, and what is
// expected there.
type FieldError struct {
	Location string `json:"location"` // "id", "source", "data.minutes"; "event" for the whole
	Message  string `json:"message"`
}

func (e FieldError) String() string { return e.Location + ": " + e.Message }
