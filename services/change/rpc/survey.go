package rpc

import (
	"context"

	"google.golang.org/protobuf/encoding/protojson"

	changev1 "setpoint.dev/proto/gen/setpoint/change/v1"
	"setpoint.dev/services/change"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/personal"
	"setpoint.dev/services/internal/principal"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/runner"
)

// perEnvelope bounds how many answers one envelope packs: sealed, each takes a
// few hundred bytes.
const perEnvelope = 1000

// survey is what carrying out a command on a wave has at hand.
type survey struct {
	view    record.View
	org     string
	id      string // of the program
	program change.Program
	moved   uint64 // the revision at which the program's state stands
	wave    *change.WaveState
	waves   []*change.WaveState // all of the program, by the day they were opened
}

// onWave carries out a command on a wave.
func (s *Service) onWave(ctx context.Context, req writing, program, wave string, personal bool, withCourse bool,
	decide func(survey) ([]runner.Write, error),
) (runner.Outcome, error) {
	p, err := principal.From(ctx)
	if err != nil {
		return runner.Outcome{}, err
	}
	digest, err := runner.Digest(req)
	if err != nil {
		return runner.Outcome{}, err
	}
	id, err := s.runner.Identify(ctx, p.Org, "ChangeProgram", program)
	if err != nil {
		return runner.Outcome{}, err
	}
	subject := waveSubject(p.Org, id, wave)
	guards := []eventlog.Subject{subject}
	if withCourse {
		guards = append(guards, course(p.Org, id))
	}
	return s.runner.Run(ctx, runner.Command{
		Org: p.Org, RequestID: req.GetRequestId(), Digest: digest, Principal: p.ID,
		Manager: orAPI(req.GetManager()), Guards: guards, Personal: personal,
	}, func(v record.View) ([]runner.Write, error) {
		r, of, moved, err := programAt(v, p.Org, program, v.Revision())
		if err != nil {
			return nil, err
		}
		x := survey{view: v, org: p.Org, id: id, program: of, moved: moved}
		if x.waves, err = wavesOf(v, r, v.Revision()); err != nil {
			return nil, err
		}
		for _, w := range x.waves {
			if w.GetWave() == wave {
				x.wave = w
			}
		}
		have, err := v.State(p.Org, change.Service, waveToken, subject.ID, v.Revision())
		if err != nil {
			return nil, err
		}
		at := uint64(0)
		if have != nil {
			at = have.From
		}
		if err := s.runner.Expect(ctx, subject, expected(req), at); err != nil {
			return nil, err
		}
		return decide(x)
	})
}

// wavesOf reads the waves of a program at a revision, in the order in which they
// were closed, and then the one that is open: only one is at a time.
func wavesOf(v record.View, program *record.Resource, at uint64) ([]*change.WaveState, error) {
	type dated struct {
		*change.WaveState
		from uint64
	}
	var list []dated
	err := v.States(program.Org, change.Service, waveToken, at, func(have record.State) error {
		of, _ := record.Parted(have.ID)
		if of != program.ID {
			return nil
		}
		w := &change.WaveState{}
		list = append(list, dated{w, have.From})
		return have.Into(w)
	})
	if err != nil {
		return nil, err
	}
	out := make([]*change.WaveState, 0, len(list))
	sortBy(list, func(a, b dated) bool { return a.from < b.from })
	for _, d := range list {
		out = append(out, d.WaveState)
	}
	return out, nil
}

// OpenWave implements ChangeService.
func (s *Service) OpenWave(ctx context.Context, req *changev1.OpenWaveRequest) (*changev1.OpenWaveResponse, error) {
	out, err := s.onWave(ctx, req, req.GetProgram(), req.GetWave(), false, false, func(x survey) ([]runner.Write, error) {
		audiences, err := audiencesOf(x.view, x.org, x.program.Spec, x.view.Revision())
		if err != nil {
			return nil, err
		}
		open, last := "", ""
		for _, w := range x.waves {
			if w.GetClosed() == "" && w.GetWave() != req.GetWave() {
				open = w.GetWave()
			}
			last = max(last, w.GetClosed())
		}
		today := record.Today(x.view, x.org, x.view.Revision(), s.runner.Now())
		c := change.OpenWave{Wave: req.GetWave(), At: req.GetAt(), Today: today, Invited: req.GetInvited(), Open: open, Closed: last}
		for _, a := range audiences {
			c.Audiences = append(c.Audiences, &changev1.WaveAudience{Audience: a.name, Parent: a.parent, Invited: a.spec.GetSize()})
		}
		event, err := change.DecideOpen(x.program, x.wave, c)
		if err != nil || event == nil {
			return nil, err
		}
		if n := change.Largest(event); n > eventlog.MaxState {
			return nil, fault.New(fault.Exhausted, "change.wave_too_large",
				"program: results of %d audiences and %d elements may take %d bytes, more than the %d there are for a wave",
				len(event.GetAudiences()), len(event.GetElements()), n, eventlog.MaxState).
				WithHint("divide the audiences among several programs, or assess fewer elements")
		}
		w, err := write(waveSubject(x.org, x.id, req.GetWave()), today, change.EvolveWave(nil, event, nil), event)
		return []runner.Write{w}, err
	})
	return &changev1.OpenWaveResponse{Revision: int64(out.Revision), Changed: out.Wrote}, err
}

// RecordAnswers implements ChangeService.
func (s *Service) RecordAnswers(ctx context.Context, req *changev1.RecordAnswersRequest) (*changev1.RecordAnswersResponse, error) {
	var warnings []string
	out, err := s.onWave(ctx, req, req.GetProgram(), req.GetWave(), true, false, func(x survey) ([]runner.Write, error) {
		subject := waveSubject(x.org, x.id, req.GetWave())
		answers := make([]change.Answer, len(req.GetAnswers()))
		for i, a := range req.GetAnswers() {
			name, err := s.record.Personal().Respondent(ctx, x.org, a.GetRespondent())
			if err != nil {
				return nil, err
			}
			answers[i] = change.Answer{Respondent: name, Audience: a.GetAudience(), Scores: a.GetScores()}
		}
		before, err := s.answers(ctx, subject)
		if err != nil {
			return nil, err
		}
		answered := map[string]bool{}
		for _, a := range before {
			answered[a.Respondent] = true
		}
		if err := change.CheckAnswers(x.wave, answered, answers); err != nil {
			return nil, err
		}
		warnings = change.Overfull(x.wave, before, answers)
		today := record.Today(x.view, x.org, x.view.Revision(), s.runner.Now())
		var writes []runner.Write
		for start := 0; start < len(answers); start += perEnvelope {
			event := &changev1.AnswersRecorded{Wave: req.GetWave()}
			for _, a := range answers[start:min(start+perEnvelope, len(answers))] {
				sealed, err := s.seal(ctx, subject, x.wave, a)
				if err != nil {
					return nil, err
				}
				event.Answers = append(event.Answers, sealed)
			}
			w, err := write(subject, today, nil, event)
			if err != nil {
				return nil, err
			}
			w.Sealed = true
			writes = append(writes, w)
		}
		return writes, nil
	})
	if err != nil {
		return nil, err
	}
	return &changev1.RecordAnswersResponse{Revision: int64(out.Revision), Recorded: int32(len(req.GetAnswers())), Warnings: warnings}, nil
}

// seal encrypts an answer with the key of its respondent.
func (s *Service) seal(ctx context.Context, subject eventlog.Subject, w *change.WaveState, a change.Answer) (*changev1.Answer, error) {
	content := &changev1.AnswerContent{Audience: a.Audience}
	for _, e := range w.GetElements() {
		if v, answered := a.Scores[e]; answered {
			content.Scores = append(content.Scores, &changev1.Score{Element: e, Value: v})
		}
	}
	text, err := protojson.Marshal(content)
	if err != nil {
		return nil, err
	}
	out := &changev1.Answer{Respondent: a.Respondent}
	out.Content, err = s.record.Personal().SealFor(ctx, subject, personal.Respondent(a.Respondent), out, "content", string(text))
	return out, err
}

// answers reads what was answered in a wave, from the log: answers are in no
// read model.
func (s *Service) answers(ctx context.Context, subject eventlog.Subject) ([]change.Answer, error) {
	commits, err := s.runner.Commits(ctx, subject, 0)
	if err != nil {
		return nil, err
	}
	var out []change.Answer
	for _, c := range commits {
		for _, e := range c.Envelope.GetEvents() {
			recorded, err := change.Answers(e.GetType(), e.GetPayload())
			if err != nil {
				return nil, err
			}
			for _, a := range recorded {
				one := change.Answer{Respondent: a.GetRespondent(), Scores: map[string]float64{}}
				content := &changev1.AnswerContent{}
				switch {
				case a.GetContent() == personal.Unavailable:
					return nil, fault.New(fault.Unavailable, "change.keys_unavailable", "the answers cannot be read now").WithHint("try again")
				case personal.IsMarker(a.GetContent()):
					one.Sealed = true
				default:
					if err := protojson.Unmarshal([]byte(a.GetContent()), content); err != nil {
						return nil, fault.Wrap(err, fault.Internal, "change.answer_corrupt", "an answer cannot be read")
					}
				}
				one.Audience = content.GetAudience()
				for _, x := range content.GetScores() {
					one.Scores[x.GetElement()] = x.GetValue()
				}
				out = append(out, one)
			}
		}
	}
	return out, nil
}

// CloseWave implements ChangeService.
func (s *Service) CloseWave(ctx context.Context, req *changev1.CloseWaveRequest) (*changev1.CloseWaveResponse, error) {
	out, err := s.onWave(ctx, req, req.GetProgram(), req.GetWave(), false, true, func(x survey) ([]runner.Write, error) {
		if x.wave == nil {
			return nil, missing("wave", "wave", req.GetWave())
		}
		var round *change.Round
		for _, w := range x.waves {
			if w.GetClosed() == "" && w != x.wave {
				continue
			}
			answers, err := s.answers(ctx, waveSubject(x.org, x.id, w.GetWave()))
			if err != nil {
				return nil, err
			}
			round = &change.Round{Wave: w, Answers: answers, Earlier: round}
			if w == x.wave {
				break
			}
		}
		today := record.Today(x.view, x.org, x.view.Revision(), s.runner.Now())
		closed, measured, err := change.DecideClose(x.wave, req.GetAt(), today, *round)
		if err != nil || closed == nil {
			return nil, err
		}
		w, err := write(waveSubject(x.org, x.id, req.GetWave()), today, change.EvolveWave(x.wave, nil, closed), closed)
		if err != nil {
			return nil, err
		}
		told, err := write(course(x.org, x.id), today, change.Evolve(x.program, measured), measured)
		return []runner.Write{w, told}, err
	})
	return &changev1.CloseWaveResponse{Revision: int64(out.Revision), Changed: out.Wrote}, err
}
