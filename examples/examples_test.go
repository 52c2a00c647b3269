// Package examples has no code: it tests the scripts and manifests beside it.
package examples

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

func TestScriptsParse(t *testing.T) {
	scripts, _ := filepath.Glob("slurm/*.sh")
	for _, script := range append(scripts, "parallel.sh") {
		if out, err := exec.Command("bash", "-n", script).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", script, err, out)
		}
		info, err := os.Stat(script)
		if err != nil || info.Mode()&0o111 == 0 {
			t.Errorf("%s cannot be executed: %v", script, err)
		}
	}
}

// TestKubernetes reads the manifests with the types of the API, strictly, and checks what the API server would refuse, and what
// the jobs rely on.
func TestKubernetes(t *testing.T) {
	files, err := filepath.Glob("kubernetes/*.yaml")
	if err != nil || len(files) != 3 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var job batch.Job
			if err := yaml.UnmarshalStrict(data, &job); err != nil {
				t.Fatal(err)
			}
			if job.APIVersion != "batch/v1" || job.Kind != "Job" || job.Name == "" {
				t.Errorf("it is a %s %s", job.APIVersion, job.Kind)
			}
			checkJob(t, &job)
		})
	}
}

func checkJob(t *testing.T, job *batch.Job) {
	spec, pod := job.Spec, job.Spec.Template.Spec
	container := pod.Containers[0]
	if pod.RestartPolicy != core.RestartPolicyNever {
		t.Error("podFailurePolicy needs restartPolicy Never")
	}
	for _, mount := range container.VolumeMounts {
		if !slices.ContainsFunc(pod.Volumes, func(v core.Volume) bool { return v.Name == mount.Name }) {
			t.Errorf("there is no volume %s", mount.Name)
		}
	}
	permanent := batch.PodFailurePolicyActionFailJob
	if spec.CompletionMode != nil && *spec.CompletionMode == batch.IndexedCompletion {
		permanent = batch.PodFailurePolicyActionFailIndex
		if spec.BackoffLimitPerIndex == nil {
			t.Error("FailIndex needs backoffLimitPerIndex")
		}
		if want := "auto/" + strconv.Itoa(int(*spec.Completions)); !slices.Contains(container.Args, want) {
			t.Errorf("%d completions, but the arguments are %s", *spec.Completions, strings.Join(container.Args, " "))
		}
	}
	rules := spec.PodFailurePolicy.Rules
	if len(rules) != 2 || rules[0].Action != permanent || rules[1].Action != batch.PodFailurePolicyActionIgnore {
		t.Fatalf("rules: %+v", rules)
	}
	on := rules[0].OnExitCodes
	if *on.ContainerName != container.Name || on.Operator != batch.PodFailurePolicyOnExitCodesOpIn || !slices.IsSorted(on.Values) {
		t.Errorf("the rule on exit codes is %+v", on)
	}
	for _, code := range []int32{0, 1, 75, 130, 137} {
		if slices.Contains(on.Values, code) {
			t.Errorf("exit code %d is not permanent", code)
		}
	}
	for _, code := range []int32{2, 3} {
		if !slices.Contains(on.Values, code) {
			t.Errorf("exit code %d is permanent", code)
		}
	}
	if c := rules[1].OnPodConditions; len(c) != 1 || c[0].Type != core.DisruptionTarget || c[0].Status != core.ConditionTrue {
		t.Errorf("the rule on conditions is %+v", c)
	}
}
