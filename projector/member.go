package projector

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	kafka "github.com/segmentio/kafka-go"
)

// A projector that was killed is a member of its group until its session ends,
// and its partitions wait as long. So a projector tells the broker by its client
// id which process it is; one that starts on the same machine sees that the
// process is gone and takes the member out of the group. Should it be wrong, as
// across containers that share a name, the other one is fenced and joins again.

// process names a process on a machine, for as long as the machine runs.
type process struct {
	host, boot string
	pid        int
	start      string // clock ticks since boot
}

// thisProcess is the process that runs. Where /proc does not tell, it is one that
// nobody takes for dead.
func thisProcess() process {
	host, _ := os.Hostname()
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return process{host, strings.TrimSpace(string(boot)), os.Getpid(), startOf(os.Getpid())}
}

// startOf is when a process started, empty when there is none.
func startOf(pid int) string {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return ""
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	const start = 19 // the 22nd field of all, behind the name
	if len(fields) <= start || fields[0] == "Z" {
		return ""
	}
	return fields[start]
}

// clientID is the process as a client id: "zhiban-projector host boot pid start".
func (p process) clientID() string {
	return fmt.Sprintf("zhiban-projector %s %s %d %s", p.host, p.boot, p.pid, p.start)
}

func parseClientID(id string) (process, bool) {
	f := strings.Fields(id)
	if len(f) != 5 || f[0] != "zhiban-projector" {
		return process{}, false
	}
	pid, err := strconv.Atoi(f[3])
	return process{f[1], f[2], pid, f[4]}, err == nil
}

// gone tells whether p was a process of this machine that does not run any more.
func (p process) gone(here process) bool {
	if p.host != here.host || here.boot == "" || here.start == "" {
		return false
	}
	return p.boot != here.boot || startOf(p.pid) != p.start
}

// dismissDead takes members out of a group whose processes are gone.
func (p *Projector) dismissDead(ctx context.Context, group string) error {
	res, err := p.client.DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{group}})
	if err != nil {
		return fmt.Errorf("look at the members of group %s: %w", group, err)
	}
	leave := &kafka.LeaveGroupRequest{GroupID: group}
	here := thisProcess()
	for _, g := range res.Groups {
		for _, m := range g.Members {
			if member, ok := parseClientID(m.ClientID); ok && member.gone(here) {
				p.log.Info("taking a projector out of the group whose process is gone", "group", group, "pid", member.pid)
				leave.Members = append(leave.Members, kafka.LeaveGroupRequestMember{ID: m.MemberID})
			}
		}
	}
	if len(leave.Members) == 0 {
		return nil
	}
	left, err := p.client.LeaveGroup(ctx, leave)
	if err != nil {
		return fmt.Errorf("take dead members out of group %s: %w", group, err)
	}
	errs := []error{left.Error}
	for _, m := range left.Members {
		errs = append(errs, m.Error)
	}
	return errors.Join(errs...)
}
