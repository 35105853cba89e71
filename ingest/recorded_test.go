package ingest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"zhiban/schemas"
)

func TestARecordedPastGoesWhereTheServerWouldPutIt(t *testing.T) {
	cluster := newLog(t, 6)
	keys := newKeys(t, &memory{content: map[string][]byte{}})
	var past []schemas.Envelope
	for i := range 300 {
		e := signIn(stations[i%len(stations)], i%60)
		e.RecordedTime = time.Date(2026, 9, 1, 0, 0, i, 0, time.UTC).Format(schemas.WireTime)
		past = append(past, e)
	}
	told := 0
	if err := AppendRecorded(t.Context(), cluster.ListenAddrs(), keys, slices.Values(past), func(schemas.Envelope) { told++ }); err != nil {
		t.Fatal(err)
	}
	if told != len(past) {
		t.Errorf("was told of %d events, expected %d", told, len(past))
	}
	found := 0
	for p, records := range stored(t, cluster) {
		last := time.Time{}
		for _, r := range records {
			ev, err := schemas.ParseEvent(r.Value)
			if err != nil {
				t.Fatal(err)
			}
			if !ev.Recorded.Equal(r.Timestamp) || ev.Recorded.Before(last) || ev.RecordedBy != "demo" {
				t.Errorf("partition %d: recorded %s by %q, record of %s, after %s", p, ev.Recorded, ev.RecordedBy, r.Timestamp, last)
			}
			if want := partitionOf(ev.Source.Key(), 6); int(p) != want || string(r.Key) != ev.Source.Key() {
				t.Errorf("%s is in partition %d under key %s, expected %d", ev.Source, p, r.Key, want)
			}
			last = ev.Recorded
			found++
		}
	}
	if found != len(past) {
		t.Errorf("%d events in the log, expected %d", found, len(past))
	}

	for want, e := range map[string]schemas.Envelope{
		"no recordedtime": signIn("220182-court", 0),
		"not a UUID":      {ID: "seven"},
	} {
		err := AppendRecorded(t.Context(), cluster.ListenAddrs(), keys, slices.Values([]schemas.Envelope{e}), func(schemas.Envelope) {})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected %q", err, want)
		}
	}
}
