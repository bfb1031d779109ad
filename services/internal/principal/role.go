package principal

import "setpoint.dev/services/internal/fault"

// Role is how much a principal may do. Each role may do what the ones below it
// may; the zero Role may do nothing.
type Role int

// The roles, least first.
const (
	Nobody      Role = iota
	Viewer           // reads
	Contributor      // and records observations and check-ins
	Editor           // and declares: applies and deletes
	Admin            // and operates the service
)

var roleNames = [...]string{"nobody", "viewer", "contributor", "editor", "admin"}

func (r Role) String() string {
	if r < Nobody || r > Admin {
		return roleNames[Nobody]
	}
	return roleNames[r]
}

// Allows reports whether r may do what needs the role.
func (r Role) Allows(needs Role) bool { return needs > Nobody && r >= needs && r <= Admin }

// RoleNames are the names that ParseRole knows, least role first.
func RoleNames() []string { return append([]string(nil), roleNames[Viewer:]...) }

// ParseRole reads a role by its name.
func ParseRole(name string) (Role, error) {
	for r := Viewer; r <= Admin; r++ {
		if roleNames[r] == name {
			return r, nil
		}
	}
	return Nobody, fault.New(fault.Invalid, "principal.role", "role: there is no role %.40q", name).
		WithHint("legal are viewer, contributor, editor and admin")
}
