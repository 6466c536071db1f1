package series

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func row(pairs ...string) []byte {
	var l Labels
	l.Reset(nil)
	for i := 0; i < len(pairs); i += 2 {
		l.Add(pairs[i], []byte(pairs[i+1]))
	}
	return bytes.Clone(l.Bytes())
}

func TestTextFormat(t *testing.T) {
	table := NewTable(2, []float64{1, 10})
	table.Add(row("a", "x\"\\\ny", "b", "\xff"), []float64{1.5, Absent()})
	table.Add(row("a", "z"), []float64{math.Inf(1), 1 << 53})
	table.Add(row("a", "z"), []float64{7, 7})
	for _, v := range []float64{0, 1, 5, 100, math.NaN()} {
		table.Observe(0, row("d", "app"), v)
	}
	table.Seal()
	var out bytes.Buffer
	w := NewWriter(&out)
	w.Family("m", "gauge", "what\nit \\ is")
	for r := range table.Rows() {
		for c := range 2 {
			if v := table.Value(r, c); !IsAbsent(v) {
				w.Sample("m", table.Labels(r), v)
			}
		}
	}
	w.Buckets("h_bucket", table, 0)
	w.Sums("h_sum", table, 0)
	w.Counts("h_count", table, 0)
	w.One("n", "counter", "n", nil, math.NaN())
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	want := `# HELP m what it \\ is
# TYPE m gauge
m{a="x\"\\\ny",b="` + "\uFFFD" + `"} 1.5
m{a="z"} +Inf
m{a="z"} 9.007199254740992e+15
h_bucket{d="app",le="1"} 2
h_bucket{d="app",le="10"} 3
h_bucket{d="app",le="+Inf"} 4
h_sum{d="app"} 106
h_count{d="app"} 4
# HELP n n
# TYPE n counter
n NaN
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	if table.Duplicates != 1 || table.Series() != 3+5 || table.RowSeries(0) != 1 {
		t.Errorf("%d duplicates, %d series, %d in the first row", table.Duplicates, table.Series(), table.RowSeries(0))
	}
}

type broken struct{ after int }

func (b *broken) Write(p []byte) (int, error) {
	if b.after -= len(p); b.after < 0 {
		return 0, errors.New("gone")
	}
	return len(p), nil
}

func TestWriterTellsThatTheReaderIsGone(t *testing.T) {
	w := NewWriter(&broken{after: flushAt + 100})
	for i := range 10_000 {
		w.Sample("some_metric", nil, float64(i))
	}
	if err := w.Close(); err == nil || err.Error() != "gone" {
		t.Errorf("got %v", err)
	}
}

func TestValuesAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Float64().Draw(t, "v")
		var back float64
		if _, err := fmt.Sscan(strings.TrimPrefix(string(AppendValue(nil, v)), "+"), &back); err != nil || back != v {
			t.Fatalf("%v is written %s, which is %v (%v)", v, AppendValue(nil, v), back, err)
		}
	})
}

// tables makes a result of rows named by number, each with a gauge and a counter.
func tables(values map[string][2]float64) *Table {
	t := NewTable(2)
	for _, name := range sortedKeys(values) {
		v := values[name]
		t.Add(row("t", name), v[:])
	}
	t.Seal()
	return t
}

func sortedKeys(m map[string][2]float64) []string {
	var out []string
	for i := range 1000 {
		if name := fmt.Sprint(i); len(m) > 0 {
			if _, ok := m[name]; ok {
				out = append(out, name)
			}
		}
	}
	return out
}

func shown(top *Top, database string, t *Table) map[string]bool {
	out := map[string]bool{}
	for i, yes := range top.Shown(database) {
		if yes {
			out[string(t.Labels(i))] = true
		}
	}
	return out
}

func TestTopTakesTheLargeAndTheBusy(t *testing.T) {
	top := NewTop(3, Weights{Gauges: []int{0}, Counters: []int{1}})
	now := time.Unix(0, 0)
	values := map[string][2]float64{}
	for i := range 10 {
		values[fmt.Sprint(i)] = [2]float64{float64(i), 0}
	}
	values["0"] = [2]float64{0, 100}
	table := tables(values)
	top.Update("db", table, now)
	want := map[string]bool{`t="9"`: true, `t="8"`: true, `t="0"`: true}
	if diff := cmp.Diff(want, shown(top, "db", table)); diff != "" {
		t.Error(diff)
	}
}

func TestTopKeepsWhatIsNearlyAsHeavy(t *testing.T) {
	top := NewTop(2, Weights{Gauges: []int{0}})
	now := time.Unix(0, 0)
	step := func(values map[string][2]float64) map[string]bool {
		table := tables(values)
		now = now.Add(10 * time.Second)
		top.Update("db", table, now)
		return shown(top, "db", table)
	}
	first := step(map[string][2]float64{"1": {10}, "2": {9}, "3": {8}})
	same := step(map[string][2]float64{"1": {10}, "2": {9}, "3": {13}})
	if diff := cmp.Diff(first, same); diff != "" {
		t.Errorf("a row that is somewhat heavier displaces one: %s", diff)
	}
	clear := step(map[string][2]float64{"1": {10}, "2": {9}, "3": {14}})
	if diff := cmp.Diff(map[string]bool{`t="1"`: true, `t="3"`: true}, clear); diff != "" {
		t.Errorf("a row that is clearly heavier does not: %s", diff)
	}
	gone := step(map[string][2]float64{"2": {9}, "3": {14}})
	if diff := cmp.Diff(map[string]bool{`t="2"`: true, `t="3"`: true}, gone); diff != "" {
		t.Errorf("a free place is not taken: %s", diff)
	}
}

func TestTopIsOverAllDatabases(t *testing.T) {
	top := NewTop(2, Weights{Counters: []int{1}})
	now := time.Unix(0, 0)
	a, b := tables(map[string][2]float64{"1": {0, 5}, "2": {0, 1}}), tables(map[string][2]float64{"3": {0, 9}, "4": {0, 2}})
	top.Update("a", a, now)
	top.Update("b", b, now)
	if len(shown(top, "a", a)) != 1 || len(shown(top, "b", b)) != 1 {
		t.Errorf("a has %v, b has %v", shown(top, "a", a), shown(top, "b", b))
	}
	top.Forget("b")
	if len(shown(top, "a", a)) != 2 || top.Shown("b") != nil {
		t.Errorf("after b is gone a has %v", shown(top, "a", a))
	}
}

// What is exposed never exceeds the limit, never changes when nothing happens, and changes by a
// tenth at most at a time while there are as many rows.
func TestTopIsSteady(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const keep, rows = 20, 60
		top := NewTop(keep, Weights{Gauges: []int{0}, Counters: []int{1}})
		now := time.Unix(0, 0)
		counts := make([]float64, rows)
		var before map[string]bool
		for round := range 8 {
			values := map[string][2]float64{}
			for i := range rows {
				counts[i] += float64(rapid.IntRange(0, 100).Draw(t, "increase"))
				values[fmt.Sprint(i)] = [2]float64{float64(rapid.IntRange(0, 100).Draw(t, "gauge")), counts[i]}
			}
			table := tables(values)
			now = now.Add(10 * time.Second)
			top.Update("db", table, now)
			after := shown(top, "db", table)
			if len(after) != keep {
				t.Fatalf("%d rows are shown", len(after))
			}
			changed := 0
			for name := range after {
				if !before[name] {
					changed++
				}
			}
			if round > 0 && changed > keep/portion {
				t.Fatalf("%d rows changed at a time", changed)
			}
			if again := shown(top, "db", table); !cmp.Equal(after, again) {
				t.Fatal("asking twice gives two answers")
			}
			before = after
		}
	})
}
