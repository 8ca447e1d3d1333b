package views

// LoginView is the sign-in page.
type LoginView struct {
	Paths   Paths
	Next    string // path of the console to go to afterwards; empty: the runs
	Name    string // as it was given before
	Problem string // why it is shown again
}
