package export

import (
	"context"
	"io/fs"

	"zhiban/dashboard/report"
)

// Slides makes decks. It is safe for concurrent use; at most two decks are
// made at once, more wait for their turn or for the end of their context.
type Slides struct{}

// NewSlides compiles the library pptxgen.js of the built assets once.
func NewSlides(dist fs.FS) (*Slides, error) { return nil, errUnbuilt }

// Deck writes the slides of a joint meeting.
func (s *Slides) Deck(ctx context.Context, d report.Deck) (File, error) { return File{}, errUnbuilt }
