package apache

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Version is the version of Apache Kafka that runs.
const Version = "4.4.0"

// ErrNotInstalled is wrapped by Start's error when Apache Kafka or Java is not there.
var ErrNotInstalled = errors.New("this machine cannot run Apache Kafka")

// java is the command that starts a Java virtual machine with Kafka's classes.
type java struct {
	program string
	jars    string // the folder
}

// findJava looks for Java where fetch.sh looks for it, and for the jars where
// `make kafka` puts them: in $ZHIBAN_CACHE, or in .cache at the root of the module
// that the working directory is in.
func findJava() (java, error) {
	program := "java"
	if home := os.Getenv("JAVA_HOME"); home != "" {
		program = filepath.Join(home, "bin", "java")
	}
	program, err := exec.LookPath(program)
	if err != nil {
		return java{}, fmt.Errorf("%w: it needs Java 17 or later, in JAVA_HOME or on the PATH: apt install default-jre-headless maven (%w)", ErrNotInstalled, err)
	}
	cache := os.Getenv("ZHIBAN_CACHE")
	if cache == "" {
		root, err := moduleRoot()
		if err != nil {
			return java{}, err
		}
		cache = filepath.Join(root, ".cache")
	}
	jars := filepath.Join(cache, "kafka", Version)
	if info, err := os.Stat(jars); err != nil || !info.IsDir() {
		return java{}, fmt.Errorf("%w: no folder %s: run `make kafka`, which needs Maven (apt install default-jre-headless maven)", ErrNotInstalled, jars)
	}
	return java{program, jars}, nil
}

func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%w: the working directory is in no Go module: set ZHIBAN_CACHE", ErrNotInstalled)
		}
	}
}

// command runs a class of Kafka's in a small virtual machine that is quick to start.
func (j java) command(class string, args ...string) *exec.Cmd {
	return exec.Command(j.program, append([]string{
		"-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData",
		"-XX:SharedArchiveFile=" + j.jars + ".jsa", // from fetch.sh; does without when it is not there
		"-Dorg.slf4j.simpleLogger.showDateTime=true",
		"-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
		// The list of all settings, several times over.
		"-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config.AbstractConfig=warn",
		"-cp", filepath.Join(j.jars, "*"), class,
	}, args...)...)
}
