#pragma once

#include "engine/classification/classifier.h"
#include "engine/operations/queries/answersource.h"
#include "ui/shell/card.h"

#include <optional>

class QPlainTextEdit;
class QStackedWidget;
class QTableWidget;

namespace sluice::ui {

class CandidateBars;
class EntityText;
class Text;

/// One answer with all its reasons, in a card that scrolls where it is narrow: decision and rule,
/// entities in the text and from context, candidates, what would change it, n-grams, times; or the
/// JSON that the worker sent.
class AnswerPanel : public Card
{
    Q_OBJECT

public:
    explicit AnswerPanel(const QString& title, QWidget* parent = nullptr);

    void show(const QString& query, const ops::Reply& reply);
    void clear();
    /// Beside another answer to the same query: what differs is marked. Empty: no mark.
    void setDifferences(const QStringList& differences);
    void setLabel(const QString& intent); ///< what a person said it is; empty: nothing
    void showJson(bool json);

    const CandidateBars* bars() const { return m_bars; }
    const EntityText* entities() const { return m_entities; }
    QString differences() const;
    QString change() const;
    QString json() const;

private:
    QWidget* makeBody();
    void showFacts(const Answer& answer);
    void showTables(const ops::Reply& reply);

    QStackedWidget* m_stack;
    Text* m_verdict;
    Text* m_intent;
    Text* m_reason;
    Text* m_label;
    Text* m_differences;
    EntityText* m_entities;
    Text* m_carried;
    CandidateBars* m_bars;
    Text* m_facts;
    Text* m_change;
    QTableWidget* m_words;
    QTableWidget* m_times;
    Text* m_total;
    QPlainTextEdit* m_json;
    bool m_showsJson = false;
    bool m_hasAnswer = false;
};

} // namespace sluice::ui
