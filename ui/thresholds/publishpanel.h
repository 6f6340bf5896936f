#pragma once

#include "ui/shell/card.h"
#include "ui/thresholds/pools.h"
#include "ui/thresholds/tuningsession.h"

class QComboBox;
class QLineEdit;

namespace sluice::ui {

class Button;
class Console;
class InfoBanner;

/// Takes the draft to a pool: what it would change there, why, and a second person's approval where
/// the pool asks for one. Whoever works from a set that is no longer served is told.
class PublishPanel : public Card
{
    Q_OBJECT

public:
    PublishPanel(Console* console, TuningSession* session, Pools* pools, QWidget* parent = nullptr);

    QString pool() const;
    QComboBox* poolChoice() const { return m_pool; }
    QLineEdit* comment() const { return m_comment; }
    Button* publishButton() const { return m_publish; }
    Button* approveButton() const { return m_approve; }
    InfoBanner* banner() const { return m_banner; }
    void publish(); ///< asks, then publishes (or proposes)
    void approve(); ///< asks, then approves what is proposed
    void askActivate(qint64 number); ///< asks, then points the pool there

Q_SIGNALS:
    void poolChanged(const QString& pool);
    void differenceWanted();

private:
    void refresh();
    void watchOthers();
    bool isStale() const; ///< the pool's set changed under the draft
    bool mayPublish() const; ///< with the pool's rule on approval
    void ask(const QString& title, const QString& object, const QString& consequence,
        const QString& verb, std::function<void()> then);
    QString whyNot() const; ///< empty: the draft can go to this pool

    Console* m_console;
    TuningSession* m_session;
    Pools* m_pools;
    QComboBox* m_pool;
    QLineEdit* m_comment;
    Text* m_served;
    Text* m_proposed;
    Button* m_publish;
    Button* m_back;
    Button* m_approve;
    InfoBanner* m_banner;
    std::map<QString, qint64> m_seen; ///< by pool: the set that the draft is worked from
    std::map<QString, qint64> m_told; ///< by pool: the set of somebody else that was said
};

} // namespace sluice::ui
