#pragma once

#include "engine/base/result.h"
#include "ui/shell/text.h"

#include <QStackedWidget>
#include <QTimer>

class QProgressBar;

namespace sluice::ui {

class Button;

/// What is wrong, in three short lines.
struct Trouble
{
    QString what; ///< "Prometheus does not answer"
    QString why; ///< "connection refused at 127.0.0.1:41231"
    QString remedy; ///< "Start the local stack, or connect to another environment."
};

/// A view's states: empty, loading, error, disconnected and its data. The data widget is made by
/// the page and set once. Error and disconnected stay until another state is set.
class StateView : public QStackedWidget
{
    Q_OBJECT

public:
    enum class State
    {
        Empty,
        Loading,
        Failed,
        Disconnected,
        Data
    };

    explicit StateView(QWidget* parent = nullptr);

    void setDataWidget(QWidget* widget);
    QWidget* dataWidget() const { return m_data; }

    void showData();
    /// What this is and, where one helps, one button (empty: none); it emits actionTriggered().
    void showEmpty(const QString& title, const QString& text, const QString& button = {});
    /// Appears after 200 ms only, so that quick answers don't flicker; cancel emits
    /// cancelRequested().
    void showLoading(const QString& text, bool cancellable = true);
    void showError(const Trouble& trouble, bool retry = true); ///< retry emits retryRequested()
    void showError(const QString& what, const Error& error, const QString& remedy = {});
    /// A lost or unconfigured source. With data already shown it stays, greyed, under a banner with
    /// its age ("since 12:04"); without, it is like an error.
    void showDisconnected(const Trouble& trouble, const QString& since = {});
    State state() const { return m_state; }

Q_SIGNALS:
    void actionTriggered();
    void retryRequested();
    void cancelRequested();
    void stateChanged(sluice::ui::StateView::State state);

private:
    void set(State state);
    void fill(const QString& glyph, Ink ink, const QString& title, const QString& text,
        const QString& remedy, const QString& button);

    QWidget* m_dataPage;
    QWidget* m_data = nullptr;
    QWidget* m_veil;
    QWidget* m_banner;
    Text* m_bannerText;
    QWidget* m_messagePage;
    Text* m_glyph;
    Text* m_title;
    Text* m_text;
    Text* m_remedy;
    QProgressBar* m_busy;
    Button* m_button;
    QTimer m_delay;
    State m_state = State::Empty;
    bool m_hadData = false;
};

} // namespace sluice::ui
