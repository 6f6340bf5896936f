#pragma once

#include <QAction>
#include <QFrame>
#include <QList>
#include <QPointer>
#include <QString>
#include <optional>

class QLineEdit;
class QListWidget;

namespace sluice::ui {

/// How well `pattern` fits `text`: its letters in order, case ignored; more for word starts and
/// runs. nullopt: it does not fit. An empty pattern fits everything with 0.
std::optional<int> fuzzyScore(const QString& pattern, const QString& text);

/// Every action of the window by its name, under the top bar. Enter triggers, Esc leaves.
class CommandPalette : public QFrame
{
    Q_OBJECT

public:
    explicit CommandPalette(QWidget* parent);

    void open(const QList<QAction*>& actions);
    QStringList shown() const; ///< what is listed now, best first

protected:
    void paintEvent(QPaintEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void filter(const QString& pattern);
    void trigger();

    QLineEdit* m_edit;
    QListWidget* m_list;
    QList<QPointer<QAction>> m_actions;
    QList<QPointer<QAction>> m_listed;
    QPointer<QWidget> m_before;
};

} // namespace sluice::ui
