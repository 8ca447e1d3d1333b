package views

// eventTone is the class of an event's word, or none.
func eventTone(e EventRow) string {
	if e.Tone == "" {
		return "dim"
	}
	return knownState(e.Tone)
}

func stepOr(step string) string {
	if step == "" {
		return "Of the whole run"
	}
	return step
}
