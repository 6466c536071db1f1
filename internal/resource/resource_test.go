package resource

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestStepRoundTrip(t *testing.T) {
	for kind, construct := range kinds {
		s := Step{Module: "m", Branch: "b", Notify: []Notification{RestartOf("x.service")}, Resource: construct()}
		data, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var back Step
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		if back.Resource.Kind() != kind || back.Module != "m" || back.Branch != "b" || len(back.Notify) != 1 {
			t.Errorf("%s: %+v", kind, back)
		}
	}
}

func TestDecodeUnknownKind(t *testing.T) {
	if _, err := Decode("teapot", nil); err == nil || !strings.Contains(err.Error(), `kind "teapot" is not known`) {
		t.Errorf("error %v", err)
	}
}

func TestNotesAreToldOnce(t *testing.T) {
	h := &Host{}
	h.Note("a %d", 1)
	h.Note("a %d", 1)
	h.Note("b")
	if got := h.TakeNotes(); len(got) != 2 {
		t.Errorf("notes %q", got)
	}
	if got := h.TakeNotes(); len(got) != 0 {
		t.Errorf("notes %q", got)
	}
}

func TestImpactText(t *testing.T) {
	for i := NoImpact; i <= DataLoss; i++ {
		text, err := i.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var back Impact
		if err := back.UnmarshalText(text); err != nil || back != i {
			t.Errorf("%s became %s, %v", i, back, err)
		}
	}
	var unknown Impact
	if err := unknown.UnmarshalText([]byte("apocalypse")); err != nil || unknown != DataLoss {
		t.Errorf("unknown impact is %s, %v", unknown, err)
	}
}
