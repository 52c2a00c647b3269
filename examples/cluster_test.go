//go:build cluster

package examples

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wwflow/wwflow/internal/testutil"
)

// clip has 30 frames.
var clip = filepath.Join(testutil.Repository(), "testdata", "clips", "square-walkers.mp4")

// program builds wwflow and puts it into PATH.
func program(t *testing.T) {
	t.Helper()
	bin := t.TempDir()
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", bin, "github.com/wwflow/wwflow").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
}

// output runs a command and returns what it prints.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// sameFrames compares two videos frame by frame, with their times.
func sameFrames(t *testing.T, a, b string) {
	t.Helper()
	hash := func(path string) string {
		return output(t, "ffmpeg", "-v", "error", "-i", path, "-an", "-f", "framemd5", "-")
	}
	if x, y := hash(a), hash(b); x != y || strings.Count(x, "\n") < 29 {
		t.Errorf("the frames of %s and %s differ:\n%s\n%s", a, b, x, y)
	}
}

// TestSlurm starts Slurm on this machine, submits an array over the parts of a clip, and kills the process of a part with SIGKILL. Slurm
// puts it back into the queue, and the joined video is that of a single run, frame by frame.
func TestSlurm(t *testing.T) {
	startSlurm(t)
	program(t)
	folder := t.TempDir()
	t.Chdir(folder)
	script := filepath.Join(testutil.Repository(), "examples", "slurm", "video.sh")
	options := []string{"--codec", "ffv1", "--scale", "0.5", "--max-flow", "4"}
	jobs := output(t, script, append([]string{clip, folder + "/joined.mkv", "3", "--segment", "2"}, options...)...)
	t.Log(strings.TrimSpace(jobs))
	killed := killPart(t, folder+"/joined.mkv.parts")
	t.Logf("killed process %d", killed)
	waitFor(t, 4*time.Minute, "the joined video", func() bool {
		startNow(t)
		_, err := os.Stat(folder + "/joined.mkv")
		return err == nil && strings.TrimSpace(output(t, "squeue", "--noheader")) == ""
	})
	logs, _ := filepath.Glob(folder + "/slurm-*.out")
	all := ""
	for _, name := range logs {
		data, _ := os.ReadFile(name)
		all += string(data)
	}
	if !strings.Contains(all, "continuing: ") {
		t.Errorf("no task has continued:\n%s", all)
	}
	if _, err := os.Stat(folder + "/joined.mkv.parts"); err == nil {
		t.Error("the folder of the parts is left")
	}
	output(t, "wwflow", append([]string{"run", clip, "-o", "single.mkv", "--quiet"}, options...)...)
	sameFrames(t, "joined.mkv", "single.mkv")
}

// TestSlurmList submits an array over a list.
func TestSlurmList(t *testing.T) {
	startSlurm(t)
	program(t)
	t.Setenv("WWFLOW_MODEL", filepath.Join(testutil.Repository(), "flow", "testdata", "fake"))
	folder := t.TempDir()
	t.Chdir(folder)
	list := ""
	for i := range 5 {
		name := fmt.Sprintf("%d.mp4", i)
		output(t, "ffmpeg", "-v", "error", "-i", clip, "-frames:v", fmt.Sprint(3+2*i), "-vf", "scale=64:48", name)
		list += name + "\n"
	}
	if err := os.WriteFile("list.txt", []byte(list), 0o666); err != nil {
		t.Fatal(err)
	}
	output(t, "sbatch", "--wait", "--array=1-2", filepath.Join(testutil.Repository(), "examples", "slurm", "list.sh"), "list.txt", "flows")
	if found, _ := filepath.Glob("flows/*-flow.mp4"); len(found) != 5 {
		t.Errorf("there are %v", found)
	}
	if journals, _ := filepath.Glob("flows/wwflow-batch-*-of-2.jsonl"); len(journals) != 2 {
		t.Errorf("journals: %v", journals)
	}
}

// TestParallel runs the parts of a clip with GNU parallel.
func TestParallel(t *testing.T) {
	program(t)
	t.Setenv("WWFLOW_MODEL", filepath.Join(testutil.Repository(), "flow", "testdata", "fake"))
	t.Chdir(t.TempDir())
	output(t, "cp", clip, "a clip.mp4")
	options := []string{"--codec", "ffv1", "--scale", "0.25", "--max-flow", "300"}
	output(t, filepath.Join(testutil.Repository(), "examples", "parallel.sh"), append([]string{"a clip.mp4", "a flow.mkv", "3"}, options...)...)
	output(t, "wwflow", append([]string{"run", "a clip.mp4", "-o", "single.mkv", "--quiet"}, options...)...)
	sameFrames(t, "a flow.mkv", "single.mkv")
}

// killPart waits until a part has a segment, and kills its process.
func killPart(t *testing.T, parts string) (pid int) {
	t.Helper()
	holder := regexp.MustCompile(`^process (\d+) on `)
	waitFor(t, 2*time.Minute, "a segment of a part", func() bool {
		manifests, _ := filepath.Glob(parts + "/*.jsonl")
		for _, name := range manifests {
			data, _ := os.ReadFile(name)
			lock, _ := os.ReadFile(strings.TrimSuffix(name, ".jsonl") + ".lock")
			n := bytes.Count(data, []byte(`{"segment"`))
			if m := holder.FindSubmatch(lock); m != nil && n > 0 && n < 4 {
				pid, _ = strconv.Atoi(string(m[1]))
				return syscall.Kill(pid, syscall.SIGKILL) == nil
			}
		}
		return false
	})
	return pid
}

// startNow lifts the two minutes that Slurm lets a requeued job wait.
func startNow(t *testing.T) {
	for line := range strings.Lines(output(t, "squeue", "--noheader", "--states=PENDING", "--format=%A %r")) {
		if job, reason, _ := strings.Cut(strings.TrimSpace(line), " "); reason == "BeginTime" {
			_ = exec.Command("scontrol", "update", "JobId="+job, "StartTime=now").Run() // it may have begun
		}
	}
}

func waitFor(t *testing.T, limit time.Duration, what string, done func() bool) {
	t.Helper()
	for begin := time.Now(); !done(); time.Sleep(200 * time.Millisecond) {
		if time.Since(begin) > limit {
			logs, _ := filepath.Glob("slurm-*.out")
			for _, name := range logs {
				data, _ := os.ReadFile(name)
				t.Logf("%s:\n%s", name, data)
			}
			queue, _ := exec.Command("squeue").CombinedOutput()
			t.Fatalf("%s did not come within %v\n%s", what, limit, queue)
		}
	}
}

const slurmConf = `ClusterName=test
SlurmctldHost=%[1]s(127.0.0.1)
SlurmctldPort=%[3]d
SlurmdPort=%[4]d
SlurmUser=root
AuthType=auth/munge
CryptoType=crypto/munge
AuthInfo=socket=%[2]s/munge.socket
StateSaveLocation=%[2]s/state
SlurmdSpoolDir=%[2]s/spool
SlurmctldPidFile=%[2]s/slurmctld.pid
SlurmdPidFile=%[2]s/slurmd.pid
SlurmctldLogFile=%[2]s/slurmctld.log
SlurmdLogFile=%[2]s/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=0,sched_interval=2
SlurmdParameters=config_overrides
MailProg=/bin/true
ReturnToService=2
NodeName=%[1]s NodeAddr=127.0.0.1 CPUs=8 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
`

// startSlurm starts munge and Slurm with a state of their own, and points the clients to them. They end with the test.
func startSlurm(t *testing.T) {
	t.Helper()
	for _, tool := range []string{"munged", "slurmctld", "slurmd", "sbatch"} {
		if _, err := exec.LookPath(tool); err != nil {
			testutil.Skip(t, "%s is missing (scripts/debian.sh cluster installs it)", tool)
		}
	}
	if os.Getuid() != 0 {
		testutil.Skip(t, "slurmd needs root")
	}
	dir := t.TempDir()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	host, _, _ = strings.Cut(host, ".")
	startMunge(t, dir)
	conf := filepath.Join(dir, "slurm.conf")
	port := 20000 + os.Getpid()%10000
	if err := os.WriteFile(conf, fmt.Appendf(nil, slurmConf, host, dir, port, port+1), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"state", "spool"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("SLURM_CONF", conf)
	daemon(t, "slurmctld", "-D", "-f", conf)
	daemon(t, "slurmd", "-D", "-f", conf, "-N", host)
	waitFor(t, time.Minute, "a node that is idle", func() bool {
		out, err := exec.Command("sinfo", "--noheader", "--format=%T").CombinedOutput()
		return err == nil && strings.TrimSpace(string(out)) == "idle"
	})
}

// startMunge starts munged as its user, with files in a folder of its own.
func startMunge(t *testing.T, dir string) {
	t.Helper()
	owner, err := user.Lookup("munge")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(owner.Uid)
	gid, _ := strconv.Atoi(owner.Gid)
	home := dir
	for _, folder := range []string{filepath.Dir(dir), dir} {
		_ = os.Chmod(folder, 0o755) // the folders of a test are for its user only
	}
	key := filepath.Join(home, "munge.key")
	if err := os.WriteFile(key, bytes.Repeat([]byte("key for one test"), 8), 0o400); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{home, key} {
		if err := os.Chown(path, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	daemon(t, "runuser", "-u", "munge", "--", "munged", "--foreground", "--force", "--key-file="+key, "--socket="+home+"/munge.socket",
		"--pid-file="+home+"/munge.pid", "--log-file="+home+"/munge.log", "--seed-file="+home+"/munge.seed")
	waitFor(t, 20*time.Second, "the socket of munged", func() bool {
		_, err := os.Stat(home + "/munge.socket")
		return err == nil
	})
}

// daemon starts a process that ends with the test.
func daemon(t *testing.T, name string, args ...string) {
	t.Helper()
	c := exec.Command(name, args...)
	var log bytes.Buffer
	c.Stdout, c.Stderr = &log, &log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		ended := make(chan error, 1)
		go func() { ended <- c.Wait() }()
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			_ = c.Process.Kill()
			<-ended
		}
		if t.Failed() {
			t.Logf("%s: %s", name, log.String())
		}
	})
}
