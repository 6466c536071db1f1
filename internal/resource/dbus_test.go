package resource

import (
	"context"
	"testing"
	"time"
)

// said is an executor that only ever says one thing.
type said string

func (s said) Run(context.Context, Command) ([]byte, error) { return []byte(s), nil }

func TestUnmetCondition(t *testing.T) {
	conditions := [][]any{
		{"ConditionPathExists", false, false, "/etc/x", int32(1)},
		{"ConditionCapability", false, false, "CAP_SYS_TIME", int32(-1)},
	}
	for want, properties := range map[string]map[string]any{
		"":                                 {"ConditionResult": true, "Conditions": conditions},
		"ConditionCapability=CAP_SYS_TIME": {"ConditionResult": false, "Conditions": conditions},
		"a condition":                      {"ConditionResult": false},
	} {
		if got := unmetCondition(properties); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := unmetCondition(nil); got != "" {
		t.Errorf("without properties: %q", got)
	}
}

func TestFailureCarriesJournal(t *testing.T) {
	for journal, want := range map[said]string{
		"one\ntwo\n": "x.service did not start (failed); its journal ends:\n  one\n  two",
		"":           "x.service did not start (failed), and its journal says nothing",
	} {
		s := &dbusSystemd{exec: journal}
		if err := s.failure(context.Background(), "x.service", "start", "failed", time.Now()); err.Error() != want {
			t.Errorf("%q, want %q", err, want)
		}
	}
}
