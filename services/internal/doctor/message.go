package doctor

import adminv1 "setpoint.dev/proto/gen/setpoint/admin/v1"

// Message is a finding as it travels.
func Message(f Finding) *adminv1.Finding {
	return &adminv1.Finding{
		Severity: adminv1.Finding_Severity(f.Severity + 1), // 0 is unspecified
		Check:    f.Check, Reason: f.Reason, Where: f.Where, Message: f.Message, Advice: f.Advice,
		First: f.First, Last: f.Last,
	}
}

// SummaryMessage is a summary as it travels.
func SummaryMessage(s Summary) *adminv1.DiagnoseSummary {
	return &adminv1.DiagnoseSummary{
		Ok: int32(s.OK), Notes: int32(s.Notes), Warnings: int32(s.Warnings), Errors: int32(s.Errors),
		Messages: s.Messages, Commits: s.Commits, Aggregates: s.Aggregates, Revision: s.Revision,
		LogId: s.LogID, Version: s.Version,
	}
}
