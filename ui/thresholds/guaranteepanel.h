#pragma once

#include "ui/shell/card.h"
#include "ui/shell/text.h"
#include "ui/thresholds/tuningsession.h"

class QCheckBox;
class QJsonObject;
class QComboBox;
class QDoubleSpinBox;
class QSlider;

namespace sluice::ui {

class Button;

/// A threshold with a guarantee: what may go wrong and how sure one wants to be; then the
/// certificate, or exactly what it lacks. And the suggestion of thresholds by intent, which has to
/// beat the global one on held-out rows.
class GuaranteePanel : public Card
{
    Q_OBJECT

public:
    explicit GuaranteePanel(TuningSession* session, QWidget* parent = nullptr);

    void certify();
    void suggest();
    QDoubleSpinBox* alpha() const { return m_alpha; }
    QDoubleSpinBox* confidence() const { return m_confidence; }
    QComboBox* claim() const { return m_claim; }
    QCheckBox* assumeShare() const { return m_assume; }
    QSlider* share() const { return m_share; }
    QCheckBox* heldOut() const { return m_heldOut; }
    Button* useButton() const { return m_use; }
    Button* certifyButton() const { return m_certify; }
    Button* suggestButton() const { return m_suggest; }
    Text* headline() const { return m_headline; }
    Text* text() const { return m_text; }
    Text* alarm() const { return m_alarm; }
    const std::optional<Guarantee>& guarantee() const { return m_guarantee; }
    /// Takes a file of groups, {"name": [intents]}, for the claims by group.
    void readGroups(const QString& file);

Q_SIGNALS:
    void changed(); ///< the guarantee, or the alpha that a curve shows
    void trouble(const QString& text);
    void done(const QString& kind, const QString& subject, const QJsonObject& details);

private:
    enum class Claim
    {
        All,
        EachIntent,
        IntentsTogether,
        EachGroup,
        GroupsTogether
    };
    QWidget* makeInputs();
    void refresh();
    void refreshAlarm();
    void onCertified(Result<Guarantee> guarantee);
    void onSuggested(const Result<Suggestion>& suggestion);
    void showMarginal();
    void showClaims();
    void use();
    void chooseGroups();
    bool holds() const; ///< whether the certificates still speak of the draft

    TuningSession* m_session;
    QDoubleSpinBox* m_alpha;
    QDoubleSpinBox* m_confidence;
    QComboBox* m_claim;
    QCheckBox* m_assume;
    QSlider* m_share;
    Text* m_shareText;
    Text* m_alarm;
    QCheckBox* m_heldOut;
    Button* m_certify;
    Button* m_suggest;
    Button* m_use;
    StatusLabel* m_state;
    Text* m_headline;
    Text* m_text;
    std::vector<IntentGroup> m_groups;
    std::optional<Guarantee> m_guarantee;
    std::optional<Suggestion> m_suggestion;
};

} // namespace sluice::ui
