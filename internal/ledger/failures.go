package ledger

// Failures are what went wrong, and how often.
func (t Track) Failures() map[string]int {
	all := map[string]int{}
	for _, e := range t.Entries {
		if e.Error != "" {
			all[e.Error]++
		}
	}
	return all
}
