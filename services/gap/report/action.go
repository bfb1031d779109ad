package report

import (
	"cmp"
	"fmt"
	"slices"

	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/calendar"
)

// Action is a corrective action that is open: what somebody promised to do about
// a target or an initiative, by a day.
type Action struct {
	ID              string        `json:"id"`
	Title           string        `json:"title"`
	Target          string        `json:"target,omitempty"`
	TargetTitle     string        `json:"targetTitle,omitempty"`
	Initiative      string        `json:"initiative,omitempty"`
	InitiativeTitle string        `json:"initiativeTitle,omitempty"`
	Owner           string        `json:"owner"`
	Policy          string        `json:"policy,omitempty"` // that opened it
	Opened          calendar.Date `json:"opened,omitzero"`
	Due             calendar.Date `json:"due,omitzero"`
	Overdue         bool          `json:"overdue,omitempty"`
	DaysOverdue     int           `json:"daysOverdue,omitempty"`
}

// actions are the open ones about what is in the report, the longest overdue
// first.
func (b *builder) actions(p gap.Portfolio, targets map[string]*Target, chosen []gap.Initiative) []Action {
	titles := map[string]string{}
	for _, i := range chosen {
		titles[i.Name] = cmp.Or(tidy(i.Title), i.Name)
	}
	var out []Action
	for _, a := range p.Actions {
		t, title := targets[a.Target], titles[a.Initiative]
		if !a.Closed.IsZero() || b.opts.Strategy != "" && t == nil && title == "" {
			continue
		}
		one := Action{
			ID: a.ID, Title: tidy(a.Title), Target: a.Target, TargetTitle: a.Target, Initiative: a.Initiative, InitiativeTitle: cmp.Or(title, a.Initiative),
			Owner: b.owner(a.Owner), Policy: a.Policy, Opened: a.Opened, Due: a.Due, Overdue: a.Overdue(b.result.AsOf),
		}
		if t != nil {
			one.TargetTitle = t.Title
		}
		if one.Overdue {
			one.DaysOverdue = b.result.AsOf.Sub(a.Due)
		}
		out = append(out, one)
	}
	slices.SortFunc(out, func(x, y Action) int {
		return cmp.Or(x.Due.Compare(y.Due), cmp.Compare(x.Title, y.Title), cmp.Compare(x.ID, y.ID))
	})
	return out
}

// about names what the action answers.
func (a *Action) about() string {
	switch {
	case a.Target == "":
		return a.InitiativeTitle
	case a.Initiative == "":
		return a.TargetTitle
	}
	return isolated(a.TargetTitle) + " (" + isolated(a.InitiativeTitle) + ")"
}

// dueWords says by when, and that it is past.
func (a *Action) dueWords() string {
	if a.Overdue {
		return fmt.Sprintf("%s, %s overdue", a.Due, plural(a.DaysOverdue, "day"))
	}
	return a.Due.String()
}

// opener says who opened it.
func (a *Action) opener() string {
	if a.Policy != "" {
		return "policy " + a.Policy + ", " + a.Opened.String()
	}
	return a.Opened.String()
}

func (m *markdown) actions() {
	if len(m.d.Actions) == 0 {
		return
	}
	m.printf("## Corrective actions\n\n")
	t := newTable("Due", "Action", "About", "Owner", "Opened")
	for i := range m.d.Actions {
		a := &m.d.Actions[i]
		due := a.dueWords()
		if a.Overdue {
			due = "▼ **" + due + "**"
		}
		t.row(due, md(a.Title), md(a.about()), md(a.Owner), md(a.opener()))
	}
	m.table(t)
}
