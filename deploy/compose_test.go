package deploy

import (
	"fmt"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"zhiban/deploy/clickhouse"
	"zhiban/schemas"
)

// compose is what the tests below read of compose.yaml.
type compose struct {
	Services map[string]struct {
		Image string
		Build struct {
			Context, Dockerfile string
		}
		Command     []string
		Restart     string
		Environment map[string]string
		Ports       []string
		Volumes     []string
		Healthcheck map[string]any
		ReadOnly    bool                                  `yaml:"read_only"`
		CapDrop     []string                              `yaml:"cap_drop"`
		SecurityOpt []string                              `yaml:"security_opt"`
		DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
	}
	Volumes map[string]any
}

func read(t *testing.T) (compose, string) {
	t.Helper()
	text, err := os.ReadFile("compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var c compose
	if err := yaml.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	return c, string(text)
}

// program returns the source of the program's commands and flags.
func program(t *testing.T) string {
	t.Helper()
	var source strings.Builder
	for _, file := range []string{"../main.go", "../schemas/kafkaconn/kafkaconn.go"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(text)
	}
	return source.String()
}

func TestComposeRunsCommandsThatExist(t *testing.T) {
	c, _ := read(t)
	source := program(t)
	ours := 0
	for name, s := range c.Services {
		if s.Build.Dockerfile == "" {
			continue
		}
		ours++
		if _, err := os.Stat(s.Build.Context + "/" + s.Build.Dockerfile); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(s.Command) == 0 {
			t.Errorf("%s has no command", name)
			continue
		}
		field := strings.ToUpper(s.Command[0][:1]) + s.Command[0][1:]
		if !regexp.MustCompile(field + " +" + s.Command[0] + "Command +`cmd:").MatchString(source) {
			t.Errorf("%s: the program has no command %s", name, s.Command[0])
		}
		for variable := range s.Environment {
			if !strings.Contains(source, `env:"`+variable+`"`) {
				t.Errorf("%s: the program does not read %s", name, variable)
			}
		}
	}
	if want := 4; ours != want {
		t.Errorf("%d services run the program, want %d", ours, want)
	}
}

func TestComposeConnectsTheServices(t *testing.T) {
	c, text := read(t)
	for _, name := range []string{"ingest", "projector", "dashboard"} {
		if got := c.Services[name].Environment["ZHIBAN_KAFKA"]; got != "kafka:9092" {
			t.Errorf("%s finds Kafka at %q", name, got)
		}
	}
	keys := c.Services["ingest"].Environment["ZHIBAN_KEYS"]
	if !slices.Contains(c.Services["ingest"].Volumes, "keys:"+path.Dir(keys)) {
		t.Errorf("the master keys, %s, are gone with the container", keys)
	}
	for service, user := range map[string]string{"migrate": clickhouse.Migrate, "projector": clickhouse.Projector, "dashboard": clickhouse.Dashboard} {
		dsn := regexp.MustCompile(`^clickhouse://` + user + `:\$\{ZHIBAN_` + strings.ToUpper(service) + `_PASSWORD:\?[^}]+\}@clickhouse:9000/zhiban$`)
		if got := c.Services[service].Environment["ZHIBAN_CLICKHOUSE"]; !dsn.MatchString(got) {
			t.Errorf("%s finds ClickHouse at %q", service, got)
		}
	}
	for name, s := range c.Services {
		if s.Build.Dockerfile != "" && name != "migrate" && strings.Contains(fmt.Sprint(s.Environment), clickhouse.Migrate) {
			t.Errorf("%s has the user that makes and drops tables", name)
		}
	}
	for _, variable := range []string{clickhouse.MigrateHash, clickhouse.ProjectorHash, clickhouse.DashboardHash} {
		if !strings.HasPrefix(c.Services["clickhouse"].Environment[variable], "${"+variable+":?") || !strings.Contains(string(clickhouse.Users), `from_env="`+variable+`"`) {
			t.Errorf("ClickHouse does not learn %s", variable)
		}
	}
	for topic, settings := range map[string]string{
		schemas.Topic: "--config retention.ms=-1", schemas.DeadLetterTopic: "--config retention.ms=-1", schemas.AuditTopic: "1 --config retention.ms=-1",
		schemas.AccessTopic: "1 --config cleanup.policy=compact", schemas.KeyTopic: "1 --config cleanup.policy=compact",
	} {
		if !regexp.MustCompile(`(?m)^ +create ` + regexp.QuoteMeta(topic) + ` .*` + settings).MatchString(text) {
			t.Errorf("topic %s is not created with %s", topic, settings)
		}
	}
	for name, s := range c.Services {
		for other, dependence := range s.DependsOn {
			needed, ok := c.Services[other]
			switch {
			case !ok:
				t.Errorf("%s depends on %s, which is no service", name, other)
			case dependence.Condition == "service_healthy" && needed.Healthcheck["test"] == nil:
				t.Errorf("%s waits for the health of %s, which has no check", name, other)
			case dependence.Condition == "service_completed_successfully" && needed.Restart != "on-failure":
				t.Errorf("%s waits for the end of %s, which is restarted", name, other)
			}
		}
		for _, volume := range s.Volumes {
			source, _, _ := strings.Cut(volume, ":")
			if strings.HasPrefix(source, "./") {
				if _, err := os.Stat(source); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			} else if _, ok := c.Volumes[source]; !ok {
				t.Errorf("%s uses the volume %s, which is not declared", name, source)
			}
		}
	}
}

func TestComposeIsFitToBeLeftRunning(t *testing.T) {
	c, _ := read(t)
	for name, s := range c.Services {
		if s.Image == "" {
			t.Errorf("%s has no image", name)
		}
		if s.Build.Dockerfile == "" && (!strings.Contains(s.Image, ":") || strings.HasSuffix(s.Image, ":latest")) {
			t.Errorf("%s: image %s is not of a fixed version", name, s.Image)
		}
		if !slices.Contains([]string{"unless-stopped", "on-failure"}, s.Restart) {
			t.Errorf("%s: restart %q", name, s.Restart)
		}
		if s.Restart == "unless-stopped" && s.Healthcheck == nil {
			t.Errorf("%s has no healthcheck", name)
		}
		if s.Build.Dockerfile != "" && (!s.ReadOnly || !slices.Contains(s.CapDrop, "ALL") || !slices.Contains(s.SecurityOpt, "no-new-privileges:true")) {
			t.Errorf("%s may do more than it needs to", name)
		}
		for _, port := range s.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("%s publishes %s to other machines", name, port)
			}
		}
	}
	for _, name := range []string{"kafka", "clickhouse"} {
		if len(c.Services[name].Volumes) == 0 {
			t.Errorf("%s forgets its data when it is made anew", name)
		}
	}
}
