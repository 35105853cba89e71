package ledger

import (
	"fmt"
	"time"

	"github.com/google/uuid"
)

// namespace is the UUID namespace of everything this package names. It, the
// texts below and the order of their parts never change: they are why
// importing twice counts once.
var namespace = uuid.MustParse("5b0c8a5e-3f0a-4d7e-9a61-7d2f6c1e8b42")

// caseID names the case of a line:
//
//	v1|<kind>|<place>|<key>|<time, RFC 3339 in UTC>|<rank>
//
// The place is the station's code, or the division's for what a legal aid
// centre keeps. The key is the licence; of a notification it is
// <organ>/<trigger>, of a training <licence>/<topic>. The rank counts from 0
// and is above it only for further different lines with the same key and time.
func caseID(k Kind, place, key string, start time.Time, rank int) uuid.UUID {
	return uuid.NewSHA1(namespace, fmt.Appendf(nil, "v1|%s|%s|%s|%s|%d", k, place, key, start.UTC().Format(time.RFC3339), rank))
}

// eventID names a case's event: v1|<case>|<type>.
func eventID(c uuid.UUID, eventType string) uuid.UUID {
	return uuid.NewSHA1(namespace, fmt.Appendf(nil, "v1|%s|%s", c, eventType))
}

// pseudonym stands for the person of a line: no name leaves a ledger, so each
// line is a person of its own.
func pseudonym(c uuid.UUID) string {
	return "ledger-" + uuid.NewSHA1(namespace, fmt.Appendf(nil, "v1|%s|person", c)).String()
}
