package embedded

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"
)

// kfake reads as much of its files as is whole and cuts the rest off, with no
// more than a line in its log. That is right for the end of a write that was cut
// short, which was never acknowledged, and wrong for anything else. checkLog is
// called before it and tells the two apart. What it reads, in kfake's directory:
//
//	meta.json, topics.json       JSON, replaced as a whole
//	groups.log, pids.log         entries: length (4), CRC-32C (4), version (2), JSON;
//	                             little-endian, length and CRC cover what follows the CRC
//	partitions/TOPIC-N/BASE.dat  Kafka record batches, one after the other
//	partitions/TOPIC-N/BASE.idx  15 bytes for each of them: version 1, the low byte
//	                             of the CRC-32C of the 13 bytes after it, and those
//	partitions/TOPIC-N/snapshot.json  where the partition ended at the last orderly stop
//
// A batch is written to .dat, then its entry to .idx, then both are synced, then
// the producer is answered. So a batch with an index entry was written whole, and
// below what the snapshot and the commits of the groups name nothing is missing.
func checkLog(dir string, log *slog.Logger) error {
	topics, err := readTopics(dir)
	if err != nil {
		return err
	}
	var commits []commitEntry
	for _, name := range []string{"groups.log", "pids.log"} {
		entries, err := repairEntries(filepath.Join(dir, name), log)
		if err != nil {
			return err
		}
		if name == "groups.log" {
			commits = latestCommits(entries)
		}
	}

	ends := make([][]int64, len(topics))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, t := range topics {
		ends[i] = make([]int64, t.Partitions)
		for p := range t.Partitions {
			group.Go(func() (err error) {
				ends[i][p], err = checkPartition(filepath.Join(dir, "partitions", fmt.Sprintf("%s-%d", url.PathEscape(t.Name), p)), t.compacted(), log)
				return err
			})
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, c := range commits {
		i := slices.IndexFunc(topics, func(t topicEntry) bool { return t.Name == c.Topic })
		if i < 0 || topics[i].compacted() || c.Partition >= topics[i].Partitions {
			continue
		}
		if end := ends[i][c.Partition]; c.Offset > end {
			return damaged("the log of %s/%d in %s ends at %d, but group %s has read to %d", c.Topic, c.Partition, dir, end, c.Group, c.Offset)
		}
	}
	return nil
}

type topicEntry struct {
	Name       string            `json:"name"`
	Partitions int               `json:"partitions"`
	Configs    map[string]string `json:"configs"`
}

// compacted topics have gaps, also at their end.
func (t topicEntry) compacted() bool {
	return strings.Contains(t.Configs["cleanup.policy"], "compact")
}

func readTopics(dir string) ([]topicEntry, error) {
	var meta struct{}
	var topics struct {
		Topics []topicEntry `json:"topics"`
	}
	metaErr := readJSON(filepath.Join(dir, "meta.json"), &meta)
	topicsErr := readJSON(filepath.Join(dir, "topics.json"), &topics)
	for _, err := range []error{metaErr, topicsErr} {
		if err == nil {
			continue
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, damaged("%v", err)
		}
		// Without them kfake begins anew, over what the partitions hold.
		if _, statErr := os.Stat(filepath.Join(dir, "partitions")); statErr == nil {
			return nil, damaged("%v", err)
		}
	}
	return topics.Topics, nil
}

func readJSON(path string, v any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("%s is not the JSON it was: %w", path, err)
	}
	return nil
}

type commitEntry struct {
	Type      string `json:"type"`
	Group     string `json:"g"`
	Topic     string `json:"t"`
	Partition int    `json:"p"`
	Offset    int64  `json:"o"`
}

// latestCommits returns the commits that are in force after all entries.
func latestCommits(entries [][]byte) []commitEntry {
	type key struct {
		group, topic string
		partition    int
	}
	latest := make(map[key]commitEntry)
	for _, text := range entries {
		var e commitEntry
		if json.Unmarshal(text, &e) != nil {
			continue
		}
		switch k := (key{e.Group, e.Topic, e.Partition}); e.Type {
		case "commit":
			latest[k] = e
		case "delete":
			delete(latest, k)
		}
	}
	commits := make([]commitEntry, 0, len(latest))
	for _, e := range latest {
		commits = append(commits, e)
	}
	return commits
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const (
	entryHeaderBytes = 4 + 4
	// maxEntryBytes is more than any entry has: a commit with its metadata.
	maxEntryBytes = 1 << 20
)

// parseEntry returns the JSON of the entry at the start of raw, and its size; or
// false with the size that its header states, which is 0 when that cannot be.
func parseEntry(raw []byte) (text []byte, size int, ok bool) {
	if len(raw) < entryHeaderBytes {
		return nil, entryHeaderBytes, false
	}
	size = entryHeaderBytes + int(binary.LittleEndian.Uint32(raw))
	if size < entryHeaderBytes+2 || size > maxEntryBytes {
		return nil, 0, false
	}
	if size > len(raw) {
		return nil, size, false
	}
	body := raw[entryHeaderBytes:size]
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(raw[4:]) {
		return nil, size, false
	}
	return body[2:], size, true
}

// repairEntries returns the entries of a log of entries, and takes out of it what
// is left of writes that were cut short: kfake reads no further than the first of
// them, and would not find what it appends behind it.
func repairEntries(path string, log *slog.Logger) ([][]byte, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	var entries [][]byte
	var whole []byte
	for at := 0; at < len(raw); {
		text, size, ok := parseEntry(raw[at:])
		if ok {
			entries = append(entries, text)
			whole = append(whole, raw[at:at+size]...)
			at += size
			continue
		}
		next := at + 1
		for next < len(raw) {
			if _, _, ok := parseEntry(raw[next:]); ok {
				break
			}
			next++
		}
		// A write that was cut short is shorter than it meant to be, or, after the
		// power failed, all zeros.
		if next-at >= size && len(bytes.Trim(raw[at:], "\x00")) > 0 {
			return nil, damaged("%s is broken at byte %d", path, at)
		}
		log.Warn("taking the rest of an unfinished write out of the log", "file", path, "at", at, "bytes", next-at)
		at = next
	}
	if len(whole) == len(raw) {
		return entries, nil
	}
	if err := replaceFile(path, whole); err != nil {
		return nil, fmt.Errorf("repair %s: %w", path, noSpace(filepath.Dir(path), err))
	}
	return entries, nil
}

func replaceFile(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(content)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// checkPartition returns the offset at which a partition's log ends.
func checkPartition(dir string, compacted bool, log *slog.Logger) (int64, error) {
	files, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the log: %w", err)
	}
	var bases []int64
	for _, file := range files {
		if name, ok := strings.CutSuffix(file.Name(), ".dat"); ok {
			if base, err := strconv.ParseInt(name, 10, 64); err == nil {
				bases = append(bases, base)
			}
		}
	}
	slices.Sort(bases)

	// Without a readable snapshot kfake reads all of the log, and so do we.
	var snapshot struct {
		End   int64 `json:"high_watermark"`
		Start int64 `json:"log_start_offset"`
	}
	if err := readJSON(filepath.Join(dir, "snapshot.json"), &snapshot); err != nil {
		snapshot.End, snapshot.Start = 0, 0
	}

	var end int64
	begun := false
	for i, base := range bases {
		path := filepath.Join(dir, strconv.FormatInt(base, 10)+".dat")
		if begun && base != end && !compacted {
			return 0, damaged("%s is missing: the log there goes from offset %d to %d", filepath.Join(dir, strconv.FormatInt(end, 10)+".dat"), end, base)
		}
		seg, err := readSegment(path, func(first, next int64) bool {
			if begun && (first < end || first > end && !compacted) {
				return false
			}
			begun, end = true, next
			return true
		})
		if err != nil {
			return 0, fmt.Errorf("read the log: %w", err)
		}
		switch whole := seg.good == seg.size; {
		case !whole && i < len(bases)-1,
			seg.batches < countIndex(strings.TrimSuffix(path, ".dat")+".idx"):
			return 0, damaged("%s is broken at byte %d (offset %d)", path, seg.good, end)
		case !whole:
			log.Warn("the log ends with an unfinished write, which is dropped", "file", path, "at", seg.good, "bytes", seg.size-seg.good)
		}
	}
	if end < snapshot.End && snapshot.End > snapshot.Start && !compacted {
		return 0, damaged("the log in %s ends at offset %d, but it had reached %d", dir, end, snapshot.End)
	}
	return max(end, snapshot.Start), nil
}

// segment says how much of a segment file is whole.
type segment struct {
	batches    int
	good, size int64 // bytes
}

// Places in a record batch, big-endian.
const (
	batchLength      = 8
	batchMagic       = 16
	batchCRC         = 17
	batchCRCStart    = 21
	batchLastDelta   = 23
	batchHeaderBytes = 61
)

// readSegment reads record batches until the first that is not whole or is not
// accepted, by its first offset and the one after its last.
func readSegment(path string, accept func(first, next int64) bool) (segment, error) {
	f, err := os.Open(path)
	if err != nil {
		return segment{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return segment{}, err
	}
	seg := segment{size: info.Size()}
	in := bufio.NewReaderSize(f, 1<<20)
	var batch []byte
	for seg.size-seg.good >= batchHeaderBytes {
		header, err := in.Peek(batchHeaderBytes)
		if err != nil {
			return seg, err
		}
		size := batchLength + 4 + int64(binary.BigEndian.Uint32(header[batchLength:]))
		if size < batchHeaderBytes || size > seg.size-seg.good || header[batchMagic] != 2 {
			break
		}
		batch = slices.Grow(batch[:0], int(size))[:size]
		if _, err := io.ReadFull(in, batch); err != nil {
			return seg, err
		}
		first := int64(binary.BigEndian.Uint64(batch))
		next := first + int64(binary.BigEndian.Uint32(batch[batchLastDelta:])) + 1
		if crc32.Checksum(batch[batchCRCStart:], castagnoli) != binary.BigEndian.Uint32(batch[batchCRC:]) || !accept(first, next) {
			break
		}
		seg.batches++
		seg.good += size
	}
	return seg, nil
}

// countIndex counts the whole entries at the start of an index file. Entries can
// be out of step behind one that a full disk cut short; those prove nothing.
func countIndex(path string) int {
	const entryBytes, version = 15, 1
	raw, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	n := 0
	for ; len(raw) >= entryBytes; raw = raw[entryBytes:] {
		if raw[0] != version || raw[1] != byte(crc32.Checksum(raw[2:entryBytes], castagnoli)) {
			break
		}
		n++
	}
	return n
}
