package rpc

import (
	"fmt"
	"time"

	"connectrpc.com/grpchealth"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"setpoint.dev/proto/gen/setpoint/admin/v1/adminv1connect"
	"setpoint.dev/proto/gen/setpoint/change/v1/changev1connect"
	"setpoint.dev/proto/gen/setpoint/declaration/v1/declarationv1connect"
	"setpoint.dev/proto/gen/setpoint/event/v1/eventv1connect"
	"setpoint.dev/proto/gen/setpoint/gap/v1/gapv1connect"
	"setpoint.dev/proto/gen/setpoint/initiative/v1/initiativev1connect"
	"setpoint.dev/proto/gen/setpoint/strategy/v1/strategyv1connect"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/principal"
)

// Access is the table of who may call what. A procedure that is not in it
// cannot be called, and a server that has one does not start.
var Access = map[string]principal.Role{
	declarationv1connect.DeclarationServicePlanProcedure:    principal.Viewer, // writes nothing
	declarationv1connect.DeclarationServiceGetProcedure:     principal.Viewer,
	declarationv1connect.DeclarationServiceListProcedure:    principal.Viewer,
	declarationv1connect.DeclarationServiceHistoryProcedure: principal.Viewer,
	declarationv1connect.DeclarationServiceExportProcedure:  principal.Viewer,
	declarationv1connect.DeclarationServiceDiffProcedure:    principal.Viewer,
	declarationv1connect.DeclarationServiceFollowProcedure:  principal.Viewer,
	declarationv1connect.DeclarationServiceApplyProcedure:   principal.Editor,
	declarationv1connect.DeclarationServiceDeleteProcedure:  principal.Editor,

	strategyv1connect.StrategyServiceListObservationsProcedure:   principal.Viewer,
	strategyv1connect.StrategyServiceListCheckInsProcedure:       principal.Viewer,
	strategyv1connect.StrategyServiceRecordObservationsProcedure: principal.Contributor,
	strategyv1connect.StrategyServiceCorrectObservationProcedure: principal.Contributor,
	strategyv1connect.StrategyServiceCheckInProcedure:            principal.Contributor,
	strategyv1connect.StrategyServiceRequestCheckInProcedure:     principal.Contributor,
	strategyv1connect.StrategyServiceListDutiesProcedure:         principal.Viewer,
	strategyv1connect.StrategyServiceAcknowledgeCheckInProcedure: principal.Contributor,
	strategyv1connect.StrategyServiceListReviewsProcedure:        principal.Viewer,
	strategyv1connect.StrategyServiceGetReviewProcedure:          principal.Viewer,
	strategyv1connect.StrategyServiceGetPackProcedure:            principal.Viewer,
	strategyv1connect.StrategyServiceListDecisionsProcedure:      principal.Viewer,
	strategyv1connect.StrategyServiceOpenReviewProcedure:         principal.Contributor,
	strategyv1connect.StrategyServiceLockReviewProcedure:         principal.Contributor,
	strategyv1connect.StrategyServiceRecordDecisionProcedure:     principal.Contributor,
	strategyv1connect.StrategyServiceSettleDecisionProcedure:     principal.Contributor,
	strategyv1connect.StrategyServiceCloseReviewProcedure:        principal.Contributor,
	strategyv1connect.StrategyServiceSkipReviewProcedure:         principal.Contributor,

	eventv1connect.EventServiceSubscribeProcedure:           principal.Viewer,
	eventv1connect.EventServiceListWebhooksProcedure:        principal.Viewer,
	eventv1connect.EventServiceListDeadLettersProcedure:     principal.Viewer,
	eventv1connect.EventServiceTestWebhookProcedure:         principal.Editor,
	eventv1connect.EventServiceRedeliverProcedure:           principal.Editor,
	eventv1connect.EventServiceEnableWebhookProcedure:       principal.Editor,
	eventv1connect.EventServiceRotateWebhookSecretProcedure: principal.Editor, // shows a secret

	gapv1connect.GapServiceEvaluateProcedure: principal.Viewer,
	gapv1connect.GapServiceWatchProcedure:    principal.Viewer,
	gapv1connect.GapServiceReportProcedure:   principal.Viewer,
	gapv1connect.GapServiceCoverProcedure:    principal.Viewer,
	gapv1connect.GapServiceForecastProcedure: principal.Viewer,

	gapv1connect.GapServiceSensitivityProcedure: principal.Viewer,
	gapv1connect.GapServiceSuggestProcedure:     principal.Viewer,
	gapv1connect.GapServiceWhatIfProcedure:      principal.Viewer,

	gapv1connect.GapServiceListConditionsProcedure: principal.Viewer,
	gapv1connect.GapServiceTestPolicyProcedure:     principal.Viewer, // writes nothing

	initiativev1connect.InitiativeServiceGetInitiativeProcedure:      principal.Viewer,
	initiativev1connect.InitiativeServiceListInitiativesProcedure:    principal.Viewer,
	initiativev1connect.InitiativeServiceGetCommitmentsProcedure:     principal.Viewer,
	initiativev1connect.InitiativeServiceGetActionProcedure:          principal.Viewer,
	initiativev1connect.InitiativeServiceListActionsProcedure:        principal.Viewer,
	initiativev1connect.InitiativeServiceForecastMilestoneProcedure:  principal.Contributor,
	initiativev1connect.InitiativeServiceReachMilestoneProcedure:     principal.Contributor,
	initiativev1connect.InitiativeServiceReopenMilestoneProcedure:    principal.Contributor,
	initiativev1connect.InitiativeServiceRecordSpendProcedure:        principal.Contributor,
	initiativev1connect.InitiativeServiceForecastCompletionProcedure: principal.Contributor,
	initiativev1connect.InitiativeServiceRecordBenefitProcedure:      principal.Contributor,
	initiativev1connect.InitiativeServiceOpenActionProcedure:         principal.Contributor,
	initiativev1connect.InitiativeServiceMoveActionProcedure:         principal.Contributor,
	initiativev1connect.InitiativeServiceCloseActionProcedure:        principal.Contributor,
	initiativev1connect.InitiativeServiceReopenActionProcedure:       principal.Contributor,
	initiativev1connect.InitiativeServiceChangeStageProcedure:        principal.Editor,

	changev1connect.ChangeServiceGetProgramProcedure:       principal.Viewer,
	changev1connect.ChangeServiceListProgramsProcedure:     principal.Viewer,
	changev1connect.ChangeServiceGetResultsProcedure:       principal.Viewer,
	changev1connect.ChangeServiceGetLoadProcedure:          principal.Viewer,
	changev1connect.ChangeServiceMoveStageProcedure:        principal.Contributor,
	changev1connect.ChangeServiceDeclareForceProcedure:     principal.Contributor,
	changev1connect.ChangeServiceRemoveForceProcedure:      principal.Contributor,
	changev1connect.ChangeServiceRaiseResistanceProcedure:  principal.Contributor,
	changev1connect.ChangeServiceAnswerResistanceProcedure: principal.Contributor,
	changev1connect.ChangeServiceRecordAnswersProcedure:    principal.Contributor,
	changev1connect.ChangeServiceOpenWaveProcedure:         principal.Editor,
	changev1connect.ChangeServiceCloseWaveProcedure:        principal.Editor,

	adminv1connect.AdminServiceGetStatusProcedure:         principal.Admin,
	adminv1connect.AdminServiceListProjectionsProcedure:   principal.Admin,
	adminv1connect.AdminServiceRebuildProjectionProcedure: principal.Admin,
	adminv1connect.AdminServiceVerifyProjectionProcedure:  principal.Admin,
	adminv1connect.AdminServiceResumeProjectionProcedure:  principal.Admin,
	adminv1connect.AdminServiceSkipEventProcedure:         principal.Admin,
	adminv1connect.AdminServiceDiagnoseProcedure:          principal.Admin,
	adminv1connect.AdminServiceBackupProcedure:            principal.Admin,
	adminv1connect.AdminServiceErasePersonProcedure:       principal.Admin,
	adminv1connect.AdminServiceBackupKeysProcedure:        principal.Admin,
	adminv1connect.AdminServiceRestoreKeysProcedure:       principal.Admin,

	"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo":      principal.Viewer,
	"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": principal.Viewer,
}

// open are the paths that need no token: they tell whether the service works,
// and no more.
var open = map[string]bool{
	"/healthz": true, "/readyz": true, "/livez": true,
	"/" + grpchealth.HealthV1ServiceName + "/Check": true,
	"/" + grpchealth.HealthV1ServiceName + "/Watch": true,
}

// bulk are the procedures whose requests carry whole plans, tables or files: they may
// be large and take long.
var bulk = map[string]bool{
	declarationv1connect.DeclarationServicePlanProcedure:         true,
	declarationv1connect.DeclarationServiceApplyProcedure:        true,
	strategyv1connect.StrategyServiceRecordObservationsProcedure: true,
	adminv1connect.AdminServiceRestoreKeysProcedure:              true,
}

// Bounds on requests.
const (
	// MaxMessage bounds a message that carries a plan or a table, in bytes.
	MaxMessage = 64 << 20
	// MaxSmallMessage bounds every other one.
	MaxSmallMessage = 1 << 20

	// unaryTime and bulkTime are how long a call may take once it has been
	// read; a client may ask for less.
	unaryTime = time.Minute
	bulkTime  = 5 * time.Minute
)

func maxMessage(procedure string) int {
	if bulk[procedure] {
		return MaxMessage
	}
	return MaxSmallMessage
}

func callTime(procedure string) time.Duration {
	if bulk[procedure] {
		return bulkTime
	}
	return unaryTime
}

// authorize refuses a principal whose role does not reach.
func authorize(p principal.Principal, procedure string) error {
	needs, known := Access[procedure]
	if !known || !p.Role.Allows(needs) {
		return fault.New(fault.Denied, "auth.role", "the role %v of %s may not call this; it needs %v", p.Role, p.ID, needs).
			WithHint("ask the operator for a token with --role %v", needs)
	}
	return nil
}

// checkAccess finds the methods of a service that nobody decided about, and
// notes which ones are streams.
func checkAccess(service string, streams map[string]bool) error {
	d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(service))
	if err != nil {
		return fmt.Errorf("service %s: %w", service, err)
	}
	s, ok := d.(protoreflect.ServiceDescriptor)
	if !ok {
		return fmt.Errorf("%s is not a service", service)
	}
	for i := range s.Methods().Len() {
		m := s.Methods().Get(i)
		procedure := "/" + service + "/" + string(m.Name())
		if !Access[procedure].Allows(principal.Viewer) {
			return fmt.Errorf("%s: nobody decided which role may call it", procedure)
		}
		if m.IsStreamingClient() || m.IsStreamingServer() {
			streams[procedure] = true
		}
	}
	return nil
}
