"""The credit terms as shipped, in three languages: plain words, no figure that is not on the invoice itself.

A proposal. Whoever publishes it reads it first, and has it read where the law of the place asks for more.
"""

_EN = """These are the terms on which we sell on credit. They are short so that they are read.

## When an invoice is to be paid

We invoice when the work is done. Every invoice names the day by which it is to be paid, counted in days from the day \
of the invoice.

## How to pay

Every invoice says how it can be paid, and by which reference we recognise the payment. Our bank details never change \
by e-mail. If a message says that they did, call us before you pay.

## If something is wrong

Tell us as soon as you see it, by the link in our e-mail or by answering it. We do not remind you of what is disputed \
while we look at it. What is not disputed stays due on its day.

## If you cannot pay on time

Tell us before the day. Another day, or instalments, can be agreed on, and we keep to what we have agreed.

## If an invoice is not paid on time

We remind you by e-mail, then by telephone. Late payment bears interest at the rate printed on the invoice, as far as \
the law allows it. We tell you in advance from which day interest is charged. What the law gives us beyond that stays \
as it is.

## Your credit limit

We set a limit: the most that may be open at one time. It begins modestly and grows with good experience. To set it \
we may ask a credit agency about your business.

## Payment in advance

If invoices stay unpaid for long, if promises to pay are not kept or payments come back, we supply against payment in \
advance only, until all outstanding invoices are cleared. We tell you when this begins and when it ends.

## When these terms change

An invoice is on the terms that were in force on the day it was issued. Before new terms begin we send them to you."""

_DE = """Zu diesen Bedingungen verkaufen wir auf Rechnung. Sie sind kurz, damit sie gelesen werden.

## Wann eine Rechnung zu zahlen ist

Wir stellen die Rechnung, wenn die Arbeit getan ist. Jede Rechnung nennt den Tag, bis zu dem sie zu zahlen ist, \
gezählt in Tagen ab dem Rechnungsdatum.

## Wie Sie zahlen

Auf jeder Rechnung steht, wie sie bezahlt werden kann und an welchem Verwendungszweck wir die Zahlung erkennen. Unsere \
Bankverbindung ändert sich nie per E-Mail. Behauptet eine Nachricht das, rufen Sie uns bitte an, bevor Sie zahlen.

## Wenn etwas nicht stimmt

Sagen Sie es uns, sobald Sie es bemerken: über den Link in unserer E-Mail oder als Antwort darauf. Solange wir es \
prüfen, erinnern wir Sie nicht an das, was strittig ist. Was nicht strittig ist, bleibt an seinem Tag fällig.

## Wenn Sie nicht pünktlich zahlen können

Sagen Sie es uns vor dem Tag. Ein anderer Termin oder Raten lassen sich vereinbaren, und wir halten uns daran.

## Wenn eine Rechnung nicht pünktlich bezahlt wird

Wir erinnern Sie per E-Mail, danach am Telefon. Für verspätete Zahlung fallen Zinsen zu dem Satz an, der auf der \
Rechnung steht, soweit das Gesetz es zulässt. Wir kündigen an, ab welchem Tag Zinsen berechnet werden. Weitergehende \
gesetzliche Ansprüche bleiben bestehen.

## Ihr Kreditlimit

Wir legen ein Limit fest: den Betrag, der höchstens zugleich offen sein darf. Es beginnt vorsichtig und wächst mit \
guter Erfahrung. Dafür dürfen wir bei einer Auskunftei nach Ihrem Unternehmen fragen.

## Vorauszahlung

Bleiben Rechnungen lange unbezahlt, werden Zahlungszusagen nicht gehalten oder kommen Zahlungen zurück, liefern wir \
nur noch gegen Vorauszahlung, bis alle offenen Rechnungen beglichen sind. Wir sagen Ihnen, wann das beginnt und wann \
es endet.

## Wenn sich diese Bedingungen ändern

Für eine Rechnung gelten die Bedingungen, die an ihrem Ausstellungstag in Kraft waren. Neue Bedingungen schicken wir \
Ihnen, bevor sie beginnen."""

_FR = """Voici les conditions auxquelles nous vendons à crédit. Elles sont courtes pour être lues.

## Quand payer une facture

Nous facturons quand le travail est terminé. Chaque facture indique le jour jusqu’auquel elle est à payer, compté en \
jours à partir de la date de facture.

## Comment payer

Chaque facture indique les moyens de paiement et la référence à laquelle nous reconnaissons votre paiement. Nos \
coordonnées bancaires ne changent jamais par e-mail. Si un message l’affirme, appelez-nous avant de payer.

## Si quelque chose ne va pas

Dites-le-nous dès que vous le remarquez, par le lien de notre e-mail ou en y répondant. Tant que nous l’examinons, \
nous ne vous relançons pas pour ce qui est contesté. Ce qui n’est pas contesté reste dû à son jour.

## Si vous ne pouvez pas payer à temps

Dites-le-nous avant l’échéance. Une autre date ou un échelonnement peuvent être convenus, et nous nous y tenons.

## Si une facture n’est pas payée à temps

Nous vous relançons par e-mail, puis par téléphone. Tout retard donne lieu à des intérêts au taux imprimé sur la \
facture, dans la mesure où la loi le permet. Nous vous annonçons à l’avance le jour à partir duquel ils sont comptés. \
Les autres droits que la loi nous donne restent inchangés.

## Votre limite de crédit

Nous fixons une limite : le montant qui peut être ouvert au plus en même temps. Elle est d’abord prudente et grandit \
avec la bonne expérience. Pour la fixer, nous pouvons interroger une agence de renseignement commercial sur votre \
entreprise.

## Paiement d’avance

Si des factures restent longtemps impayées, si des promesses de paiement ne sont pas tenues ou si des paiements \
reviennent, nous ne livrons plus que contre paiement d’avance, jusqu’à ce que toutes les factures ouvertes soient \
réglées. Nous vous disons quand cela commence et quand cela se termine.

## Quand ces conditions changent

Une facture suit les conditions en vigueur le jour de son émission. Nous vous envoyons les nouvelles conditions avant \
qu’elles ne commencent."""

SHIPPED = {
    "title_en": "Credit terms", "text_en": _EN,
    "title_de": "Zahlungs- und Kreditbedingungen", "text_de": _DE,
    "title_fr": "Conditions de paiement et de crédit", "text_fr": _FR,
}
