#pragma once

#include <QAbstractButton>
#include <QFrame>
#include <QList>

class QVBoxLayout;

namespace sluice::ui {

/// One workspace on the rail: icon over word.
class RailButton : public QAbstractButton
{
    Q_OBJECT

public:
    RailButton(QString icon, const QString& title, QWidget* parent = nullptr);
    QSize sizeHint() const override { return {58, 48}; }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    QString m_icon;
};

/// The rail of workspaces, 64 px wide.
class Rail : public QFrame
{
    Q_OBJECT

public:
    explicit Rail(QWidget* parent = nullptr);

    void add(const QString& id, const QString& title, const QString& toolTip);
    void setCurrent(const QString& id); ///< empty: none (the welcome page)

Q_SIGNALS:
    void chosen(const QString& id);
    void homeRequested();

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    QVBoxLayout* m_layout;
    QList<RailButton*> m_buttons;
};

} // namespace sluice::ui
