"""Words that say nothing about the subject of a question: asking, politeness, small words. Folded."""

from __future__ import annotations

_PL = """
a aby ale albo ani az bez bo by byc bym byla bylo byly bylby bylaby bylbym bylabym byl bede beda bedzie bedziemy
bardzo chce chcac chcial chciala chcialem chcialam chcialbym chcialabym chcemy chcielibysmy ci ciebie co cos czego
czegos czemu czy czyli czym dla dlaczego do dobry dobra dobrze dzien dzieki dziekuje gdy gdyby gdzie go halo i ich ile
ilu im inaczej inna inne inny innego innych informacja informacje interesuje ja jak jaka jaki jakie jakich jakiej
jakim jakiego jakies jakis jako ja jego jej jednak jest jestem jestescie jesli jezeli jeszcze juz kiedy kim kogo komu
konkretnie ktora ktore ktorej ktorego ktory ktorym ktorych ktos ku lub ma macie maja mam mamy mi mialbym mialabym miec
mnie moge moga moglby moglbym moglabym moi moj moja moje mojego mojej mojej moim moja mozna moze mozecie mozemy
mozesz mozliwe mozliwosc mna musi musze mu my na nad nam nami nas nasz nasza nasze naszej ne nie nich nim nimi niz no
o od ogolnie on ona one oni ono oraz otoz pan pana pani panem panie panstwa panstwem panstwo panstwu po pod podac
pomoc potrzebuje powiedziec powiedz poprosze pozniej prosze prosic prosilbym prosilabym przed przez przy pytanie
pytam rozumiem sa sie sobie soba sprawdzic sprawie swoj swoja swoje swojego sza ta tak taka taki takie tam te tego
tej ten to toba troche trzeba tu tutaj twoj ty tych tylko tym u w wam wami was wasz wasza wasze waszego waszej waszych
wedlug wiec wiedziec dowiedziec wie wiem wiadomo wlasnie wszystko wy z za zatem zapytac zawsze ze zeby znaczy znalezc
przyjsc zwykle jakby generalnie dzisiaj teraz akurat moment oczywiscie niestety
"""

_EN = """
a about actually all also am an and any anything are arent as ask asking at be because been but by can cannot cant
could couldnt did didnt do does doesnt doing dont else find for from get getting give got had has have havent having he
hello her hi him his how i id if ill im in info information into is isnt it its ive just kind know let like little
look looking many may maybe me might mine much must my need of off okay ok on one only or our out please question
really right she should so some somebody someone something sort tell thank thanks that thats the their them then there
theres they thing things this those to too us up very want wanted was wasnt we were what whats when where wheres which
while who whom whose why will with wonder wondering wont would wouldnt yes you your youre yours possible possibly able
until till guys exactly well now good morning afternoon evening
"""

STOP_WORDS = {"pl": frozenset(_PL.split()), "en": frozenset(_EN.split())}
